"""Entities, markup and message splitting that work like Telegram's."""
