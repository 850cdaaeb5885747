"""Limits how much of the training data may come from one person."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

# Sums of fractions such as 1/3 and 1/7 are not exact.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Contribution:
    """A row of training data, by the hash of its text, and the people whose quota it counts towards.

    ``authors`` has the author of the text, ``supporters`` the people who voted for its label. Both are empty for a row
    that counts towards no quota, such as one that an admin decided.
    """

    text_hash: bytes
    authors: tuple[int, ...]
    supporters: tuple[int, ...]


def within_quotas(rows: Sequence[Contribution], person_rows: int, person_share: float) -> list[Contribution]:
    """Return the rows, given oldest first, without those that exceed somebody's quota.

    A row counts 1 for its author, and separately 1/k for each of its k supporters. Among the returned rows, neither
    count of any person is above ``person_rows``, or above ``person_share`` (0 to 1) of the rows where that is more.
    Dropping rows lowers the limit, so rows are dropped, newest first, until nothing changes.
    """
    remaining = list(rows)
    while True:
        kept = _within_limit(max(person_rows, person_share * len(remaining)), remaining)
        if len(kept) == len(remaining):
            return kept
        remaining = kept


def _within_limit(limit: float, rows: Iterable[Contribution]) -> list[Contribution]:
    """Keep each row, in order, that puts nobody above the limit."""
    authored: dict[int, float] = defaultdict(float)
    supported: dict[int, float] = defaultdict(float)
    kept = []
    for row in rows:
        share = 1 / max(len(row.supporters), 1)
        if any(authored[person] + 1 > limit + _ROUNDING for person in row.authors):
            continue
        if any(supported[person] + share > limit + _ROUNDING for person in row.supporters):
            continue
        for person in row.authors:
            authored[person] += 1
        for person in row.supporters:
            supported[person] += share
        kept.append(row)
    return kept
