"""Sends messages, edits and command menus. The outbox keeps replies in the database until they are sent."""
