"""Labelling other people's texts, and quarantining disputed texts."""
