"""Formats percentages, thumbs and long texts for messages."""

from typing import Final

THUMBS: Final = {"Positive": "👍", "Negative": "👎"}
# No model is certain, and 100% would claim that it is.
_MAX_PERCENT: Final = 99
# Maximum number of characters shown for a reason or an explanation in a list.
REASON_LENGTH: Final = 240
# Maximum number of a review's characters in a message, and how many of those are from its end.
# Telegram allows 4,096 and counts some characters as two; the rest is for the question around the review.
_REVIEW_LENGTH: Final = 1_900
_REVIEW_END: Final = 680
_GAP: Final = "\n[…]\n"


def percent_of(confidence: float) -> int:
    """Return a confidence from 0 to 1 as a whole percentage, at most 99."""
    return min(round(100 * confidence), _MAX_PERCENT)


def truncate(text: str, length: int, end: int = 0) -> str:
    """Return ``text`` in at most ``length`` characters.

    A longer text keeps its beginning, followed by an ellipsis, or by ``[…]`` and its last ``end`` characters.
    """
    if len(text) <= length:
        return text
    if not end:
        return text[: length - 1].rstrip() + "…"
    return text[: length - end - len(_GAP)].rstrip() + _GAP + text[-end:].lstrip()


def excerpt(review: str) -> str:
    """Return a review as a message shows it: whole, or its beginning and its end."""
    return truncate(review, _REVIEW_LENGTH, _REVIEW_END)
