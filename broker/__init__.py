"""The names of queues and tasks, and a broker that needs no server."""
