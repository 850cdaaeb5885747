"""The connection to Telegram that receiving and sending share: proxies, retries, and its current state."""
