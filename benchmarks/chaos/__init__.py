"""Kills the worker, its trainer and the beat at random moments, and checks the outcome of the training runs.

Run it with ``python -m benchmarks.chaos``.
"""
