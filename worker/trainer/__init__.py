"""The process that trains and measures, and what it is told and tells."""
