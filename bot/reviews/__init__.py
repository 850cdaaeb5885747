"""Reviews, their verdicts, and the votes on verdicts."""
