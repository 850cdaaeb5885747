"""A local Bot API server and its chat page: everything that Telegram does for the bot, on one machine."""
