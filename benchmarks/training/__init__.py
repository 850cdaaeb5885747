"""Benchmarks for fine-tuning: its speed, its accuracy and the gains from feedback rounds."""
