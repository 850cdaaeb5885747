"""Recipes, training data and the loop that fine-tunes."""
