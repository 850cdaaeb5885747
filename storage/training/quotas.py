"""How much of what is learnt may come from one person."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

# Thirds and sevenths do not add up exactly.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Contribution:
    """A row, by the hash of its text, and whom it counts for: its author, and the people who support its label.

    The two are empty where it counts for nobody, as an admin's does.
    """

    text_hash: bytes
    authors: tuple[int, ...]
    supporters: tuple[int, ...]


def within_quotas(rows: Sequence[Contribution], person_rows: int, person_share: float) -> list[Contribution]:
    """The rows, given oldest first, without those by which somebody supplies too many.

    A row counts 1 for its author and 1/k for each of its k supporters, in a count of its own. Of the rows that are
    left, nobody has more than ``person_rows`` in either count, or ``person_share`` of them (0 to 1) where that is
    more. Leaving rows out lowers that limit, so they are left out, newest first, until nothing changes.
    """
    left = list(rows)
    while True:
        kept = _up_to(max(person_rows, person_share * len(left)), left)
        if len(kept) == len(left):
            return kept
        left = kept


def _up_to(limit: float, rows: Iterable[Contribution]) -> list[Contribution]:
    """Take each row, in turn, that puts nobody above the limit."""
    written: dict[int, float] = defaultdict(float)
    supported: dict[int, float] = defaultdict(float)
    kept = []
    for row in rows:
        part = 1 / max(len(row.supporters), 1)
        if any(written[person] + 1 > limit + _ROUNDING for person in row.authors):
            continue
        if any(supported[person] + part > limit + _ROUNDING for person in row.supporters):
            continue
        for person in row.authors:
            written[person] += 1
        for person in row.supporters:
            supported[person] += part
        kept.append(row)
    return kept
