"""Labelled reviews, read from files, folders, archives and the hub."""
