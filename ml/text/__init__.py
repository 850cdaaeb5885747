"""Labels, plain text, language, fingerprints and tokens."""
