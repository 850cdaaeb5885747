"""Compares a candidate with the live model and decides whether to promote the candidate."""
