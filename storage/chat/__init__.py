"""People, messages, predictions, the inbox and the outbox."""
