"""Finds texts that are quoted in another text, ignoring case and punctuation."""

from collections.abc import Iterable
from typing import Final

from ml.text.fingerprints import normalized_words

# Number of words by which quotations are looked up. A shorter text is looked up by all of its words.
_LOOKUP_WORDS: Final = 4


def quoted_texts(texts: Iterable[str], sources: Iterable[str]) -> set[str]:
    """Return the ``texts`` whose words occur consecutively, in the same order, in one of ``sources``.

    Case, punctuation, white space and ``<br>`` are ignored, as in fingerprints.
    """
    lookup: dict[str, list[tuple[str, str]]] = {}
    for text in texts:
        if quotation := normalized_words(text):
            lookup.setdefault(" ".join(quotation.split()[:_LOOKUP_WORDS]), []).append((quotation, text))
    found: set[str] = set()
    for source in map(normalized_words, sources):
        words = source.split()
        for start in range(len(words)):
            for end in range(start + 1, min(start + _LOOKUP_WORDS, len(words)) + 1):
                for quotation, text in lookup.get(" ".join(words[start:end]), ()):
                    if f" {quotation} " in f" {source} ":
                        found.add(text)
    return found
