"""Benchmarks for a served model: quality, and speed in the bot."""
