"""The connection to Telegram, which receiving and sending share: proxies, retries, and when Telegram last answered."""
