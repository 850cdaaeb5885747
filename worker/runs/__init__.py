"""A training run, from its request to its publication."""
