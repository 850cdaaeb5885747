"""Votes, what they amount to, and which of them train."""
