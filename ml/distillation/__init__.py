"""Distillation: a larger teacher labels parts of reviews, and a fine-tune learns from its probabilities."""
