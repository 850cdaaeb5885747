"""Training runs, their snapshots and who follows them."""
