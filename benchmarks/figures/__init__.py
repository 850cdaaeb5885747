"""Writes the measured figures and the lists of modules into the documents."""
