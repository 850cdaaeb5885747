"""Texts and labels in, predictions out. Knows no chat, no queue and no database."""
