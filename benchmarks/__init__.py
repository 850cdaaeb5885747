"""Measurements of the product on real data; each writes its figures to ``benchmarks/results`` as JSON.

They run from the repository's root, ``python -m benchmarks.<name>``, and take the paths of their data as arguments.
"""
