"""Finds the words in a text, and all places where each of them occurs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from ml.text.plain_text import blank_links

_LETTER: Final = r"(?:[^\W_]|[\u0300-\u036f])"
# Scores such as 10/10 and 4.5 are one word, and so are contractions such as don't, and words with hyphens.
_WORD: Final = re.compile(rf"\d+(?:[.,:/]\d+)+|{_LETTER}+(?:['\u2019-]{_LETTER}+)*")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The characters of a text from ``start`` up to but not including ``end``."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Return the part of ``text`` that the span covers."""
        return text[self.start : self.end]

    def shifted(self, by: int) -> Self:
        """Return the span of the same length that starts ``by`` characters later."""
        return type(self)(self.start + by, self.end + by)


@dataclass(frozen=True, slots=True)
class Word:
    """A word as first written in a text, and all places where it occurs, regardless of case."""

    text: str
    spans: tuple[Span, ...]

    @property
    def key(self) -> str:
        """The form that all spellings of the word share."""
        return word_key(self.text)


def word_key(word: str) -> str:
    """Return a key for ``word`` that does not depend on its case or on the kind of apostrophe."""
    return word.casefold().replace("\u2019", "'")


def find_words(text: str) -> list[Span]:
    """Return the place of every word, in order. Links, @names and HTML tags contain no words."""
    return [Span(*match.span()) for match in _WORD.finditer(blank_links(text))]


def distinct_words(text: str, spans: Sequence[Span]) -> list[Word]:
    """Return the distinct words at these places, in the order of their first occurrence."""
    places: dict[str, list[Span]] = {}
    for span in spans:
        places.setdefault(word_key(span.of(text)), []).append(span)
    return [Word(found[0].of(text), tuple(found)) for found in places.values()]
