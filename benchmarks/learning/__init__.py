"""Runs the learning loop on a demo: people write and vote, an admin retrains, and the models are compared.

Run it with ``python -m benchmarks.learning``.
"""
