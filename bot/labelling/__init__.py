"""Labelling of other people's texts, and the quarantine of disputed ones."""
