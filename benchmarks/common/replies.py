"""Reads the bot's replies in the playground: the label that one names, and how long people waited."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ml.text.labels import LABELS

REPLY_TIMEOUT: Final = 120.0
"""Seconds after which a message counts as unanswered."""


def named_label(text: str) -> str | None:
    """Return the label that a reply names, or None unless it names exactly one."""
    named = [label for label in LABELS if label in text]
    return named[0] if len(named) == 1 else None


def waiting_quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median, the 95th percentile and the maximum of the ``seconds`` from messages to their replies."""
    return {f"{share:.0%}": round(float(np.quantile(seconds, share)), 2) for share in (0.5, 0.95, 1.0)}
