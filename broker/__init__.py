"""The names of the queues and tasks, and a broker that needs no server."""
