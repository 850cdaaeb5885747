"""Draws texts that are long enough for three words to be removed."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ml.explanation.words import distinct_words, find_words

SEED: Final = 26
MINIMUM_WORDS: Final = 6
"""Minimum number of different words in a text. In a shorter text, random words would often be the named words."""


def draw_texts(sets: Mapping[str, Sequence[str]], texts: int) -> dict[str, list[str]]:
    """Return ``texts`` texts in total, the same number from each set. Raise ValueError if a set has too few."""
    each = texts // len(sets)
    rng = np.random.default_rng(SEED)
    drawn = {}
    for name, candidates in sets.items():
        order = rng.permutation(len(candidates))
        long_enough = [candidates[index] for index in order if has_enough_words(candidates[index])][:each]
        if len(long_enough) < each:
            raise ValueError(f"{name} has only {len(long_enough)} texts with {MINIMUM_WORDS} words, not {each}")
        drawn[name] = long_enough
    return drawn


def has_enough_words(text: str) -> bool:
    """Return whether ``text`` has at least ``MINIMUM_WORDS`` different words."""
    return len(distinct_words(text, find_words(text))) >= MINIMUM_WORDS
