"""The gain over all shown verdicts, estimated from votes that people give mostly on mistakes."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.gate.voters import Round, Voting, simulate_round
from storage.feedback.shown_verdicts import ShownVerdict, ShownVerdicts
from worker.gate.measurements import VoteEvidence
from worker.gate.vote_estimate import MIN_DRAWN, estimate_gain
from worker.gate.vote_rows import VoteRow, vote_evidence
from worker.gate.vote_tests import better_p, worse_p

SHARE = 0.1
SKEWED = Voting(0.03, drawn=200, people=20, verdicts=3_000, mistakes=(0.6, 0.8), correct=(0.05, 0.15))


def simulated(voting: Voting, seed: int = 1) -> Round:
    return simulate_round(np.random.default_rng(seed), voting)


def estimated(found: Round) -> VoteEvidence:
    evidence = estimate_gain(found.rows, found.shown, SHARE)
    assert evidence is not None
    return evidence


def test_weights_correct_a_skew_that_puts_the_unweighted_gain_several_points_off() -> None:
    found = simulated(SKEWED)
    evidence, unweighted = estimated(found), vote_evidence(found.rows)
    assert unweighted is not None
    assert unweighted.gain - found.gain > 0.04
    assert evidence.gain == pytest.approx(found.gain, abs=0.015)
    assert evidence.lower < found.gain < evidence.upper
    assert evidence.texts == len(found.rows) > evidence.effective_texts
    assert evidence.voted_share == pytest.approx(len(found.rows) / 3_000)
    assert evidence.mistake_ratio == pytest.approx(7, rel=0.4)


def test_a_candidate_that_only_looks_better_on_mistakes_is_not_proven_better() -> None:
    found = simulated(replace(SKEWED, gain=-0.01))
    unweighted = vote_evidence(found.rows)
    assert better_p(unweighted) < 0.01
    assert better_p(estimated(found)) > 0.05


@pytest.mark.parametrize(("drawn", "known"), [(MIN_DRAWN - 1, False), (MIN_DRAWN, True)])
def test_votes_only_on_mistakes_tell_nothing_until_label_has_drawn_enough(drawn: int, known: bool) -> None:
    found = simulated(replace(SKEWED, drawn=drawn, correct=(0.0, 0.0), asked=0.0))
    evidence = estimated(found)
    assert (evidence.unknown is None) == known
    if known:
        assert evidence.lower < found.gain < evidence.upper
    else:
        assert evidence.unknown == (
            "people voted only on mistakes, so the gate can't tell until 50 texts that /label drew at random have "
            "votes (49 so far)"
        )
        assert (evidence.lower, evidence.upper) == (-1, 1)
        assert better_p(evidence) == worse_p(evidence) == 1


def test_without_draws_the_interval_is_much_wider() -> None:
    drawn, not_drawn = simulated(SKEWED), simulated(replace(SKEWED, drawn=0, asked=0.0))
    assert estimated(not_drawn).standard_error > 1.5 * estimated(drawn).standard_error
    assert estimated(not_drawn).lower < not_drawn.gain < estimated(not_drawn).upper


def test_people_who_collude_and_vote_rarely_gain_no_weight() -> None:
    honest = simulated(replace(SKEWED, gain=0.0))
    found = simulated(replace(SKEWED, gain=0.0, colluders=2, texts_each=300, votes_each=10))
    plain, plain_honest = vote_evidence(found.rows), vote_evidence(honest.rows)
    assert plain is not None
    assert plain_honest is not None
    moved, moved_unweighted = estimated(found).gain - estimated(honest).gain, plain.gain - plain_honest.gain
    assert 0 < moved < moved_unweighted


def test_texts_all_weigh_the_same_if_everything_that_was_shown_has_a_usable_vote() -> None:
    verdicts = tuple(
        ShownVerdict(number, 1, "Positive", 0.8, 200, has_votes=True, usable=True, agreed="Negative", voted=True)
        for number in range(8)
    )
    rows = [VoteRow(number, "Negative", number > 5, True) for number in range(8)]
    evidence, plain = estimate_gain(rows, ShownVerdicts(verdicts), SHARE), vote_evidence(rows)
    assert plain is not None
    assert evidence == replace(plain, voted_share=1.0)
    assert estimate_gain(rows, ShownVerdicts(()), SHARE) == plain, "imported texts"
    assert estimate_gain([], ShownVerdicts(verdicts), SHARE) is None


def test_an_imported_text_stands_only_for_itself_among_votes_that_stand_for_many() -> None:
    found = simulated(SKEWED)
    imported = [VoteRow(10_000 + number, "Positive", False, True) for number in range(100)]
    evidence, with_imported = estimated(found), estimate_gain([*found.rows, *imported], found.shown, SHARE)
    assert with_imported is not None
    assert 0 < with_imported.gain - evidence.gain < 0.05


def test_votes_on_earlier_verdicts_are_weighed_by_the_chances_of_recent_ones() -> None:
    found = simulated(SKEWED)
    early = tuple(verdict for verdict in found.shown.verdicts if verdict.message_id % 3 == 0)
    late = tuple(verdict for verdict in found.shown.verdicts if verdict.message_id % 3)
    shown = ShownVerdicts(late, earlier=tuple(verdict for verdict in early if verdict.has_votes))
    evidence = estimate_gain(found.rows, shown, SHARE)
    assert evidence is not None
    assert evidence.texts == len(found.rows)
    assert evidence.lower < found.gain < evidence.upper
    assert evidence.gain == pytest.approx(found.gain, abs=0.02)
