"""Consent, deletion, notices about corrections, and the daily purge."""
