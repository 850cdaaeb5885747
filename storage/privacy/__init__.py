"""Consent, erasure and retention."""
