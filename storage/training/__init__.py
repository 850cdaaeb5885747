"""Training runs with their snapshots and followers, and notifications about corrections."""
