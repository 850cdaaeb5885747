"""Limits how much of the training data may come from one person."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

# Tolerance for rounding errors in sums of fractions such as 1/3 and 1/7.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Contribution:
    """A row of training data, identified by its text's hash, and the people whose quotas it counts towards.

    ``authors`` contains the text's author, and ``supporters`` the people who voted for its label. Both sets are empty
    for a row that does not count towards any quota, such as a row that an admin decided on.
    """

    text_hash: bytes
    authors: tuple[int, ...]
    supporters: tuple[int, ...]


def within_quotas(rows: Sequence[Contribution], person_rows: int, person_share: float) -> list[Contribution]:
    """Return ``rows`` (sorted oldest first) without those that exceed someone's quota.

    A row counts as 1 for its author and, separately, as 1/k for each of its k supporters. In the returned rows, each of
    a person's two sums is at most ``person_rows`` or ``person_share`` (0 to 1) of all the rows, whichever is larger.
    Dropping rows lowers this limit, so the newest excess rows are dropped repeatedly until the remaining rows are
    within the limit.
    """
    remaining = list(rows)
    while True:
        kept = _within_limit(max(person_rows, person_share * len(remaining)), remaining)
        if len(kept) == len(remaining):
            return kept
        remaining = kept


def _within_limit(limit: float, rows: Iterable[Contribution]) -> list[Contribution]:
    """Return the rows, in order, without those that would put someone over the limit."""
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
