"""People, messages and predictions; the inbox and the outbox."""
