"""Thin Telegram functions: they read an update, hand over, and send what is owed."""
