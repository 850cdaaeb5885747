"""What a set of texts looks like to a model: a few figures that show no text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InputProfile:
    """Figures about ``texts`` texts and the verdicts on them.

    ``positive`` is the share of positive labels and ``confidence`` the mean confidence, both from 0 to 1. ``words`` is
    the mean number of words in a text, and ``unknown`` the share of all words that the model's vocabulary lacks.
    """

    texts: int
    positive: float
    confidence: float
    words: float
    unknown: float
