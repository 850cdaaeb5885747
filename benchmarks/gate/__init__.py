"""Measures by simulation how often the gate is right, in single runs and over time."""
