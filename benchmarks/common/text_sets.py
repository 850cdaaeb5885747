"""Sets of texts by their digests: the proof of what was trained on and what was measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from ml.text.fingerprints import digest, shared_fingerprints


@dataclass(frozen=True, slots=True)
class Part:
    """One set of texts: how many, and the digest that tells it from another."""

    reviews: int
    digest: str


def part_of(reviews: pd.DataFrame) -> Part:
    """The part that the column ``text`` makes."""
    return Part(len(reviews), digest(reviews["text"]))


def parts_of(tables: Mapping[str, pd.DataFrame]) -> dict[str, Part]:
    """Every table's part, by its name."""
    return {name: part_of(table) for name, table in tables.items()}


def shared_texts(tables: Iterable[pd.DataFrame]) -> int:
    """Texts that stand in two of the tables, counted by their fingerprints."""
    pairs = combinations([table["text"] for table in tables], 2)
    return len(set().union(*(shared_fingerprints(first, second) for first, second in pairs)))
