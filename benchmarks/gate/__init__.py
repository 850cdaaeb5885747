"""Simulates the gate to measure how often it is right, in single runs and over time."""
