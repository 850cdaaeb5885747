"""Training runs, their snapshots, their followers, and notifications of corrections."""
