"""The two sentiments, their order in the logits and the words people write for them."""

from typing import Final

# The order of the logits, and the names that the tutorial prints.
LABELS: Final = ("Negative", "Positive")

_WORDS: Final = {
    "negative": 0, "neg": 0, "0": 0, "0.0": 0, "false": 0,
    "positive": 1, "pos": 1, "1": 1, "1.0": 1, "true": 1,
}  # fmt: skip


def label_index(word: str) -> int | None:
    """Index into ``LABELS`` of a label word in any case, or None when the word names no sentiment."""
    return _WORDS.get(word.strip().lower())
