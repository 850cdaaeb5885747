"""Imports labelled texts from files, and exports votes to files."""
