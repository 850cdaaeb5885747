"""Measures a candidate against the live model and decides whether to promote it."""
