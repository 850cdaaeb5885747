"""Chats, people, updates and files, as the playground remembers them."""
