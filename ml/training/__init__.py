"""Recipes, training data and the fine-tuning loop."""
