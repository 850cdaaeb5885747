"""Explains a verdict: the words that moved it most, and the deciding passage."""
