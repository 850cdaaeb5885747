"""A review in, a verdict out, and the votes on it."""
