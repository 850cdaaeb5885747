"""Queues and tasks by name, and the broker that needs no server."""
