"""Entities, HTML and the splitting of messages, as Telegram does it."""
