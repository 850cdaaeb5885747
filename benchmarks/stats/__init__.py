"""Measures how long the queries behind /stats take with millions of messages."""
