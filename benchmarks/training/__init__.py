"""Benchmarks for fine-tuning: speed, accuracy and the gains from feedback rounds."""
