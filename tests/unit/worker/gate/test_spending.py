"""Every repeated look at the votes spends some alpha, but a look that could prove nothing spends none."""

from datetime import UTC, datetime, timedelta

import pytest

from ml.evaluation.alpha_spending import alpha_for_run, alpha_for_trial, available_alpha
from ml.evaluation.paired_counts import PairedCounts
from storage.models.looks import Look
from worker.gate.measurements import VoteEvidence
from worker.gate.spending import Allowance, allow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PER_YEAR = 0.05


def votes(texts: int, won: int, lost: int) -> VoteEvidence:
    return VoteEvidence.equally_weighted(PairedCounts(texts, texts // 2, texts // 2 + won - lost, lost, won))


def test_a_quarter_of_the_year_is_available_at_once_and_a_run_takes_half_of_that() -> None:
    assert available_alpha([], PER_YEAR, NOW) == pytest.approx(0.0125)
    assert alpha_for_run([], PER_YEAR, NOW) == pytest.approx(0.00625)
    first = Look(NOW, "one", 100, 0.00625, run_id=1)
    assert alpha_for_trial([first], PER_YEAR, NOW, last=True) == pytest.approx(0.00625)
    assert alpha_for_trial([first], PER_YEAR, NOW, last=False) == pytest.approx(0.003125)


@pytest.mark.parametrize("hours", [1, 24, 24 * 7, 24 * 100])
def test_no_year_spends_more_than_the_rate_however_often_somebody_looks(hours: int) -> None:
    looks: list[Look] = []
    now = NOW
    while now < NOW + timedelta(days=3 * 365):
        looks.append(Look(now, "one", 100, available_alpha(looks, PER_YEAR, now), run_id=len(looks)))
        now += timedelta(hours=max(hours, 24))
    for first in looks[::5]:
        year = [look.alpha for look in looks if first.at <= look.at < first.at + timedelta(days=365)]
        assert sum(year) <= PER_YEAR + 1e-12


def test_a_run_looks_again_at_the_same_live_model_only_with_half_again_as_many_votes() -> None:
    looks = [Look(NOW, "one", 100, 0.005, run_id=1), Look(NOW, "one", 150, 0.001, trial_id=1)]
    assert allow(looks, PER_YEAR, NOW, "one", votes(149, 30, 2)) == Allowance(0.0, 150)
    assert allow(looks, PER_YEAR, NOW, "one", votes(150, 30, 2)).alpha > 0
    assert allow(looks, PER_YEAR, NOW, "two", votes(20, 18, 0)).alpha > 0


def test_a_look_that_cannot_prove_anything_spends_nothing() -> None:
    assert allow([], PER_YEAR, NOW, "one", None) == Allowance(0.0)
    assert allow([], PER_YEAR, NOW, "one", votes(30, 7, 0)) == Allowance(0.0)
    assert allow([], PER_YEAR, NOW, "one", votes(30, 8, 0)).alpha == pytest.approx(0.00625)
