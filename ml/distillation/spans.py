"""Chooses the parts of a review that a teacher labels: overlapping windows of words, and shorter crops.

Users write sentences, whereas reviews have paragraphs. The teacher labels each crop separately, because the whole
review's label may be wrong for a single sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_WORD: Final = re.compile(r"\S+")
# The number of words in the shortest and the longest crop.
_SHORTEST_CROP, _LONGEST_CROP = 5, 100


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, from the character ``start`` up to the character ``end``."""

    start: int
    end: int


def find_words(text: str) -> list[Span]:
    """Split a text into words on whitespace."""
    return [Span(*match.span()) for match in _WORD.finditer(text)]


def window_spans(words: Sequence[Span], tokens: Sequence[int], room: int, overlap: int) -> list[Span]:
    """Cover a text with spans of at most ``room`` tokens that overlap by about ``overlap`` tokens.

    ``tokens`` contains the number of tokens in each word. A word with more than ``room`` tokens becomes a separate
    span, and the last span ends where the text ends.
    """
    ends = np.cumsum(tokens)
    spans: list[Span] = []
    first = 0
    while first < len(words):
        before = int(ends[first - 1]) if first else 0
        after_last = max(int(np.searchsorted(ends, before + room, side="right")), first + 1)
        spans.append(Span(words[first].start, words[after_last - 1].end))
        if after_last == len(words):
            break
        next_first = int(np.searchsorted(ends, int(ends[after_last - 1]) - overlap, side="left")) + 1
        first = max(min(next_first, after_last), first + 1)
    return spans


def crop_spans(words: Sequence[Span], count: int, rng: np.random.Generator) -> list[Span]:
    """Draw ``count`` crops of 5 to 100 words at random positions, or none if the text has at most 5 words.

    The crops' lengths are log-uniform, so that a sentence is as likely as a paragraph.
    """
    longest = min(len(words), _LONGEST_CROP)
    if longest <= _SHORTEST_CROP:
        return []
    spans = []
    for _ in range(count):
        length = round(_SHORTEST_CROP * (longest / _SHORTEST_CROP) ** rng.random())
        first = int(rng.integers(len(words) - length + 1))
        spans.append(Span(words[first].start, words[first + length - 1].end))
    return spans
