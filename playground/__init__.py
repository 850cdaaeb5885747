"""A local Bot API server with a chat page: it replaces Telegram for the bot on one machine."""
