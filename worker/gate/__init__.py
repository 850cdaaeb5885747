"""Measures candidate and live model, and decides between them."""
