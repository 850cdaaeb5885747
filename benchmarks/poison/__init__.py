"""Lets people collude to make the model worse, or to plant a phrase that decides, with and without the rules.

Run it with ``python -m benchmarks.poison``.
"""
