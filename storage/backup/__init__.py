"""Backs up all rows (still encrypted) and published models in one archive, and restores them."""
