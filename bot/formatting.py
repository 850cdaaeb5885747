"""Formats percentages, thumbs and long texts for messages."""

from typing import Final

THUMBS: Final = {"Positive": "👍", "Negative": "👎"}
# Maximum percentage to show, because 100% would suggest that the model is certain.
_MAX_PERCENT: Final = 99
# Maximum number of characters shown for a reason or an explanation in a list.
REASON_LENGTH: Final = 240
# Maximum number of characters to show from a review, and how many of them come from its end. Telegram allows 4,096 and
# counts some characters as two, and the message must have room for the question.
_REVIEW_LENGTH: Final = 1_900
_REVIEW_END: Final = 680
_GAP: Final = "\n[…]\n"


def percent_of(confidence: float) -> int:
    """Return a confidence from 0 to 1 as a whole percentage, at most 99."""
    return min(round(100 * confidence), _MAX_PERCENT)


def confidence_suffix(confidence: float, *, shown: bool) -> str:
    """Return the end of a verdict: the confidence (0 to 1), or an empty string if it should not be ``shown``."""
    return f" · {percent_of(confidence)}%" if shown else ""


def truncate(text: str, length: int, end: int = 0) -> str:
    """Return ``text``, shortened to at most ``length`` characters.

    A text that is too long is cut off with an ellipsis. If ``end`` is given, the last ``end`` characters are also kept,
    after ``[…]``.
    """
    if len(text) <= length:
        return text
    if not end:
        return text[: length - 1].rstrip() + "…"
    return text[: length - end - len(_GAP)].rstrip() + _GAP + text[-end:].lstrip()


def excerpt(review: str) -> str:
    """Return a review as shown in messages: in full, or just its beginning and end if it is long."""
    return truncate(review, _REVIEW_LENGTH, _REVIEW_END)
