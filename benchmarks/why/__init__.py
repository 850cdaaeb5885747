"""Measures whether /why names words that move verdicts, and how long an explanation takes."""
