"""The trainer process, which trains and measures, and its protocol."""
