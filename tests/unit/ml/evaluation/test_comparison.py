"""A comparison of two models, checked against examples worked out by hand."""

import numpy as np
import pytest

from ml.evaluation.comparison import compare
from ml.evaluation.paired_counts import PairedCounts, count_pairs

Rows = list[int]
NAMES = ("old", "new")


def logits_of(*verdicts: int) -> np.ndarray:
    """Return logits with these verdicts."""
    return np.array([[0.0, 2.0 * verdict - 1.0] for verdict in verdicts], np.float32)


def test_flips_are_counted_by_direction() -> None:
    labels = np.array([1, 1, 1, 1, 0, 0], np.int8)
    found = compare(NAMES, logits_of(1, 1, 0, 0, 0, 1), logits_of(1, 0, 1, 1, 0, 1), labels)
    assert (found.first, found.second, found.reviews) == ("old", "new", 6)
    assert (found.negative_flips, found.positive_flips) == (1, 2)
    assert found.agreement == 0.5
    assert found.first_accuracy == pytest.approx(3 / 6)
    assert found.second_accuracy == pytest.approx(4 / 6)
    assert found.difference == pytest.approx(1 / 6)


def test_paired_counts() -> None:
    first = np.array([True, True, True, False, False])
    second = np.array([True, False, False, True, False])
    assert count_pairs(first, second) == PairedCounts(5, 3, 2, negative_flips=2, positive_flips=1)


@pytest.mark.parametrize(
    ("lost", "won", "p"),
    # Twice the probability of getting no more heads than the smaller count in lost + won tosses of a fair coin.
    [(0, 5, 2 / 32), (1, 7, 2 * 9 / 256), (3, 3, 1.0), (0, 0, 1.0), (5, 0, 2 / 32)],
)
def test_mcnemar_is_exact(lost: int, won: int, p: float) -> None:
    labels = np.ones(lost + won + 10, np.int8)
    first = logits_of(*[1] * lost, *[0] * won, *[1] * 10)
    second = logits_of(*[0] * lost, *[1] * won, *[1] * 10)
    assert compare(NAMES, first, second, labels).mcnemar_p == pytest.approx(p)


def test_the_interval_is_paired() -> None:
    rng = np.random.default_rng(5)
    labels = np.ones(2_000, np.int8)
    old = rng.random(2_000) < 0.8
    new = old | (rng.random(2_000) < 0.1)
    found = compare(NAMES, logits_of(*old), logits_of(*new), labels)
    share = found.positive_flips / 2_000
    half_width = 1.96 * np.sqrt(share * (1 - share) / 2_000)
    # Two independent samples would have an interval four times as wide.
    assert found.interval == pytest.approx((share - half_width, share + half_width), abs=0.001)


def test_a_model_agrees_with_itself() -> None:
    found = compare(NAMES, logits_of(1, 0, 1), logits_of(1, 0, 1), np.array([1, 1, 1], np.int8))
    assert (found.difference, found.interval, found.mcnemar_p, found.agreement) == (0.0, (0.0, 0.0), 1.0, 1.0)
