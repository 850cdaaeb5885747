"""Evaluates models: figures, intervals, behavioural checks, charts and the report."""
