"""Measurements of the product on real data; each writes its figures to ``benchmarks/results`` as JSON.

Run them from the repository's root, with the paths of their data as options; docs/benchmarks.md has every command.
"""
