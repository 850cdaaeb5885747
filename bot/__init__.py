"""The Telegram bot process."""
