"""Tracks contact with Telegram: when it last responded, and whether the webhook still belongs to this bot."""

import time
from typing import Final

# Seconds without a response after which Telegram counts as unreachable. The bot calls Telegram at least every 30
# seconds.
_MAX_SILENCE: Final = 100.0


class TelegramContact:
    """The state of this bot's contact with Telegram.

    The connection updates it, and health checks read it in other threads. ``webhook_is_ours`` is None for long polling,
    and until the webhook is registered. ``delivery_error`` is Telegram's reason for not delivering updates to the
    webhook, or None.
    """

    def __init__(self) -> None:
        self.webhook_is_ours: bool | None = None
        self.delivery_error: str | None = None
        self._heard_at: float | None = None

    def heard(self) -> None:
        """Record that Telegram has just responded to a call or sent an update."""
        self._heard_at = time.monotonic()

    def seconds_since_heard(self) -> float | None:
        """Return how long ago Telegram last responded or sent an update, or None if it never did."""
        return None if self._heard_at is None else time.monotonic() - self._heard_at

    def problem(self) -> str | None:
        """Return a sentence that says why updates aren't arriving, or None if there is no known reason."""
        silence = self.seconds_since_heard()
        if silence is None:
            return "It has not responded yet."
        if silence > _MAX_SILENCE:
            return f"It has not responded for {silence:.0f} seconds."
        if self.webhook_is_ours is False:
            return "It sends this bot's updates to a different address."
        return f"It cannot deliver updates ({self.delivery_error})." if self.delivery_error else None
