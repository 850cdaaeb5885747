"""Measures the gate by simulation: how often it is right, and over time."""
