"""Extracts labels and waiting times from the bot's replies in the playground."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ml.text.labels import LABELS

REPLY_TIMEOUT: Final = 120.0
"""Seconds after which a message counts as unanswered."""


def named_label(text: str) -> str | None:
    """Return the label in a reply if the reply names exactly one, otherwise None."""
    named = [label for label in LABELS if label in text]
    return named[0] if len(named) == 1 else None


def waiting_quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median, the 95th percentile and the maximum of ``seconds``, the times from messages to replies."""
    return {f"{share:.0%}": round(float(np.quantile(seconds, share)), 2) for share in (0.5, 0.95, 1.0)}
