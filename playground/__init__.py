"""A local Bot API server with a chat page, which replaces Telegram for a bot on one machine."""
