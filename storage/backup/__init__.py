"""Backup and restore: rows of every table as they are encrypted, and published models, in one archive."""
