"""Reviews, verdicts, and votes on verdicts."""
