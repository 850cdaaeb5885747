"""Backs up the database and the published models to one archive, and restores them."""
