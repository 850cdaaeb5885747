"""Simulates people who collude to harm the model, and measures the harm with and without the rules.

Run it with ``python -m benchmarks.poison``.
"""
