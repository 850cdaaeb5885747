"""Consent, deletion, correction notices and the daily purge."""
