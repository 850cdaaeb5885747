"""Texts offered for a label, and the quarantine of texts that people disagree on."""
