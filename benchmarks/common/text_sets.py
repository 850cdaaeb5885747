"""Describes sets of texts by size and digest, as proof of what was trained on and what was measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from ml.text.fingerprints import digest, shared_fingerprints


@dataclass(frozen=True, slots=True)
class TextSet:
    """A set of texts: their number and digest."""

    reviews: int
    digest: str


def text_set(reviews: pd.DataFrame) -> TextSet:
    """Return the set of the texts in the column ``text``."""
    return TextSet(len(reviews), digest(reviews["text"]))


def text_sets(tables: Mapping[str, pd.DataFrame]) -> dict[str, TextSet]:
    """Return the set of texts of each named table."""
    return {name: text_set(table) for name, table in tables.items()}


def shared_texts(tables: Iterable[pd.DataFrame]) -> int:
    """Return the number of texts, compared by fingerprint, that are in more than one of the tables."""
    pairs = combinations([table["text"] for table in tables], 2)
    return len(set().union(*(shared_fingerprints(first, second) for first, second in pairs)))
