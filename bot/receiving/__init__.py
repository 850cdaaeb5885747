"""Receives updates from Telegram, stores them in the inbox, and passes them to the handlers."""
