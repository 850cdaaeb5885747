"""Corrections imported from files and exported to them."""
