"""Benchmarks of a served model: its quality, and its speed behind the bot."""
