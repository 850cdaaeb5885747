"""Generates docs/benchmarks.md from the committed results, and the lists of modules in docs/architecture.md."""
