"""The names of the queues and tasks, and a broker that doesn't need a server."""
