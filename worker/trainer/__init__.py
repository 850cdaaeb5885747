"""The trainer process, which trains and evaluates candidates, and its protocol."""
