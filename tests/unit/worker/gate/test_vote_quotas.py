"""No author's texts carry more weight than the author's limit allows."""

import numpy as np
import pytest

from worker.gate.vote_quotas import within_limits


def test_an_author_who_votes_rarely_gains_no_weight() -> None:
    weights = np.array([20.0, 20.0, *([2.0] * 38)])
    usual = np.full(40, weights.mean())
    authors = [1, 1, *range(2, 40)]
    found = within_limits(weights, usual, authors, 0.5)
    assert found[:2].sum() == pytest.approx(2 * weights.mean(), rel=0.01)
    assert found[2:].tolist() == [2.0] * 38


def test_an_author_has_at_most_a_share_of_the_weight() -> None:
    weights = np.array([*([10.0] * 5), *([1.0] * 45)])
    found = within_limits(weights, np.full(50, 10.0), [1] * 5 + list(range(2, 47)), 0.2)
    assert found[:5].sum() / found.sum() == pytest.approx(0.2, rel=0.01)


def test_an_author_may_have_their_share_of_the_texts_and_texts_without_an_author_have_no_limit() -> None:
    weights = np.ones(10)
    assert within_limits(weights, weights, [1] * 6 + [2] * 4, 0.1).tolist() == weights.tolist()
    free = np.array([50.0, 1.0])
    assert within_limits(free, np.ones(2), [None, 1], 0.5).tolist() == free.tolist()
