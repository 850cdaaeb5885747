"""The trainer process, which trains and measures candidates, and its protocol."""
