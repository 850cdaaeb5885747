"""Votes on texts, the consensus that they form, and the texts that are eligible for training."""
