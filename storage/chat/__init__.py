"""People, messages and predictions; updates in and replies out."""
