"""The names of queues and tasks, and a broker that does not need a server."""
