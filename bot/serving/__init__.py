"""Loads, verifies and swaps the live model in this process."""
