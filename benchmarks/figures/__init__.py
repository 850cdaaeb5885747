"""Generates the tables in docs/benchmarks.md and the lists of modules in docs/architecture.md."""
