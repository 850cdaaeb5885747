"""As much of somebody's text as fits into a message that asks about it."""

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
