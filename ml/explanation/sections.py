"""Finds the part of a text that each of its token windows covers."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from ml.explanation.words import Span
from ml.text.tokenization import WindowTokenizer


def read_sections(text: str, words: Sequence[Span], tokenizer: WindowTokenizer) -> list[Span]:
    """Return the section of ``text`` for each window, from the start of a word to the start of a later one.

    ``words`` are all words in the text. A text that fits into one window is one section, and so is a text whose words
    are longer than a window.
    """
    whole = Span(0, len(text))
    bounds = [0, *(word.start for word in words[1:]), len(text)]
    pieces = [Span(start, end) for start, end in pairwise(bounds)]
    lengths = [len(ids) for ids in tokenizer.token_ids([piece.of(text) for piece in pieces])]
    ends = list(accumulate(lengths))
    if ends[-1] <= tokenizer.room:
        return [whole]
    windows = [(start, start + tokenizer.room) for start in tokenizer.window_starts(ends[-1])]
    tokens = list(zip(pieces, lengths, ends, strict=True))
    inside = [
        [piece for piece, length, end in tokens if first <= end - length and end <= last] for first, last in windows
    ]
    return [Span(found[0].start, found[-1].end) for found in inside if found] or [whole]
