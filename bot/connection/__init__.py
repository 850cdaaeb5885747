"""The connection to Telegram, shared by receiving and sending: proxies, retries, and the state of the contact."""
