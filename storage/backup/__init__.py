"""Backup and restore of all rows, which stay encrypted, and of published models, in one archive."""
