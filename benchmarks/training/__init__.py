"""Benchmarks of fine-tuning: its speed, its accuracy and what feedback rounds gain."""
