"""Receives updates and sends messages. The database keeps both until they are done."""
