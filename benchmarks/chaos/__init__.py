"""Kills the worker, its trainer and the beat at random moments, and looks at what becomes of the runs.

``python -m benchmarks.chaos`` carries it out.
"""
