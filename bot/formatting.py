"""How thumbs, percentages and long texts are shown in a message."""

from typing import Final

# Characters. Telegram counts some as two and takes 4,096; the rest is for the question around it.
LONGEST: Final = 1_900
_BEGINNING: Final = 1_200
_END: Final = 680


def excerpt(text: str) -> str:
    """The text, or the beginning and the end of a long one with the mark of an omission between them."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:_BEGINNING].rstrip()}\n[…]\n{text[-_END:].lstrip()}"


THUMBS: Final = {"Positive": "👍", "Negative": "👎"}
# No model is certain, and "100 %" would say so.
_MOST_PERCENT: Final = 99


def percent_of(confidence: float) -> int:
    """A confidence of 0 to 1 as it is shown: a whole number, never 100."""
    return min(round(100 * confidence), _MOST_PERCENT)


# Characters of a reason that a list shows.
_LONGEST_REASON: Final = 240


def shortened(text: str) -> str:
    """A reason as a list shows it: whole, or its beginning."""
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"
