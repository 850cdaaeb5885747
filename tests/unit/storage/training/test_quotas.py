"""Quotas limit how many rows one person contributes."""

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from storage.training.quotas import Contribution, within_quotas

PEOPLE = st.integers(0, 6)
ROWS = st.lists(
    st.tuples(
        st.lists(PEOPLE, max_size=1).map(tuple),
        st.lists(PEOPLE, max_size=3, unique=True).map(tuple),
    ),
    max_size=80,
).map(lambda rows: [Contribution(bytes([number]), *row) for number, row in enumerate(rows)])
COUNTS, SHARES = st.integers(0, 12), st.floats(0, 1)


def highest_count(kept: list[Contribution]) -> float:
    """Return the highest count of any person, as author or as supporter."""
    authored = Counter(person for row in kept for person in row.authors)
    supported: Counter[int] = Counter()
    for row in kept:
        for person in row.supporters:
            supported[person] += 1 / len(row.supporters)  # type: ignore[assignment]
    return max([*authored.values(), *supported.values()], default=0)


@given(ROWS, COUNTS, SHARES)
@example([Contribution(bytes([n]), (n % 9,), ()) for n in range(200)], 2, 0.1)
def test_nobody_is_above_the_limit_of_the_kept_rows(rows: list[Contribution], count: int, share: float) -> None:
    kept = within_quotas(rows, count, share)
    assert highest_count(kept) <= max(count, share * len(kept)) + 1e-6
    assert kept == [row for row in rows if row in kept], "the order is kept"


@given(ROWS, COUNTS, SHARES)
def test_rows_within_the_limit_are_kept(rows: list[Contribution], count: int, share: float) -> None:
    if highest_count(rows) <= max(count, share * len(rows)):
        assert within_quotas(rows, count, share) == rows
    kept = within_quotas(rows, count, share)
    assert within_quotas(kept, count, share) == kept


@given(ROWS, COUNTS, SHARES)
def test_rows_that_count_towards_no_quota_are_kept(rows: list[Contribution], count: int, share: float) -> None:
    free = [row for row in rows if not row.authors and not row.supporters]
    assert [row for row in within_quotas(rows, count, share) if row in free] == free


def test_the_newest_rows_are_dropped() -> None:
    rows = [Contribution(bytes([number]), (1,), (2, 3)) for number in range(5)]
    assert within_quotas(rows, 3, 0.0) == rows[:3]


def test_supporters_share_a_row() -> None:
    rows = [Contribution(bytes([number]), (number,), (2, 3)) for number in range(5)]
    assert within_quotas(rows, 2, 0.0) == rows[:4]


def test_with_few_people_the_limit_is_the_number_of_rows() -> None:
    rows = [Contribution(bytes([number]), (number % 9,), ()) for number in range(250)]
    assert len(within_quotas(rows, 20, 0.1)) == 9 * 20
