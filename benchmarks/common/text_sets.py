"""Describes sets of texts by size and digest, as a record of which texts were used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from ml.text.fingerprints import digest, shared_fingerprints


@dataclass(frozen=True, slots=True)
class TextSet:
    """The size and the digest of a set of texts."""

    reviews: int
    digest: str


def text_set(reviews: pd.DataFrame) -> TextSet:
    """Return the size and digest of the texts in the ``text`` column."""
    return TextSet(len(reviews), digest(reviews["text"]))


def text_sets(tables: Mapping[str, pd.DataFrame]) -> dict[str, TextSet]:
    """Return the size and digest of each table's texts, keyed by the table's name."""
    return {name: text_set(table) for name, table in tables.items()}


def shared_texts(tables: Iterable[pd.DataFrame]) -> int:
    """Return the number of texts that are in more than one table, compared by fingerprint."""
    pairs = combinations([table["text"] for table in tables], 2)
    return len(set().union(*(shared_fingerprints(first, second) for first, second in pairs)))
