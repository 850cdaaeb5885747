"""The two labels, their order in the logits, and the words that files use for them."""

from typing import Final

# The labels in the order of the logits. The tutorial prints the same names.
LABELS: Final = ("Negative", "Positive")

_WORDS: Final = {
    "negative": 0, "neg": 0, "0": 0, "0.0": 0, "false": 0,
    "positive": 1, "pos": 1, "1": 1, "1.0": 1, "true": 1,
}  # fmt: skip


def label_index(word: str) -> int | None:
    """Return the index into ``LABELS`` that a word stands for, ignoring case, or None for any other word."""
    return _WORDS.get(word.strip().lower())
