"""What this process knows about its contact with Telegram: when it last heard from it, and whose the webhook is."""

import time


class TelegramContact:
    """Updated by the connection; read by whoever reports the bot's health.

    ``webhook_is_ours`` is None while the bot polls, and until Telegram was first asked.
    """

    def __init__(self) -> None:
        self.webhook_is_ours: bool | None = None
        self._heard_at: float | None = None

    def heard(self) -> None:
        """Record that Telegram has just answered a call or sent an update."""
        self._heard_at = time.monotonic()

    def seconds_since_heard(self) -> float | None:
        """Return how long ago Telegram last answered or sent something, or None if it never did."""
        return None if self._heard_at is None else time.monotonic() - self._heard_at
