"""Benchmarks for a served model: its quality, and its speed in the bot."""
