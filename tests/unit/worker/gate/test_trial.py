"""A trial's next step follows from the votes since the model went live."""

import numpy as np
import pytest

from ml.evaluation.paired_counts import PairedCounts
from worker.gate.measurements import VoteEvidence
from worker.gate.trial import TrialEvidence, TrialStep, next_step, probably_better, votes_since

ALPHA = 0.003


def votes(texts: int, won: int, lost: int) -> VoteEvidence:
    right = (texts - won - lost) // 2 + lost
    return VoteEvidence.equally_weighted(PairedCounts(texts, right, right + won - lost, lost, won))


def step(since: VoteEvidence | None, before: VoteEvidence | None = None, looked_at: int = 0) -> TrialStep:
    return next_step(TrialEvidence(before, since, looked_at), ALPHA)


def test_a_handful_of_corrections_can_make_a_model_probably_better() -> None:
    assert probably_better(votes(3, 3, 0))
    assert probably_better(votes(10, 4, 1))
    assert not probably_better(votes(2, 2, 0))
    assert not probably_better(None)


def test_a_trial_goes_on_while_the_votes_do_not_tell() -> None:
    assert step(None) is TrialStep.CONTINUE
    assert step(votes(4, 0, 4)) is TrialStep.CONTINUE
    assert step(votes(49, 12, 0)) is TrialStep.CONTINUE, "no look is due yet"
    assert step(votes(60, 3, 3)) is TrialStep.CONTINUE


def test_votes_against_a_model_roll_it_back_at_once() -> None:
    assert step(votes(5, 0, 5)) is TrialStep.ROLL_BACK
    assert step(votes(30, 2, 9)) is TrialStep.ROLL_BACK


def test_a_look_confirms_a_model_only_if_the_votes_prove_it() -> None:
    assert step(votes(50, 9, 0)) is TrialStep.CONFIRM
    assert step(votes(50, 8, 0)) is TrialStep.CONTINUE
    assert step(votes(50, 9, 0), looked_at=55) is TrialStep.CONTINUE, "that look has been"
    assert step(votes(100, 9, 0), looked_at=55) is TrialStep.CONFIRM


def test_the_last_look_ends_a_trial_either_way() -> None:
    assert step(votes(150, 9, 6), looked_at=100) is TrialStep.ROLL_BACK
    assert step(votes(160, 22, 6), looked_at=100) is TrialStep.CONFIRM
    assert step(votes(151, 20, 4), looked_at=150) is TrialStep.CONTINUE


def test_the_votes_that_chose_the_model_count_only_as_far_as_they_were_not_chosen() -> None:
    assert step(votes(50, 8, 0), before=votes(20, 5, 0)) is TrialStep.CONFIRM
    assert step(votes(50, 8, 0), before=votes(20, 2, 2)) is TrialStep.CONTINUE, "these votes did not choose it"
    assert step(votes(50, 0, 0), before=votes(300, 40, 4)) is TrialStep.CONTINUE, "no new vote is on its side"


def test_votes_on_correct_verdicts_stand_for_the_people_who_do_not_vote() -> None:
    champion = np.array([True] * 8 + [False] * 4 + [True] * 20)
    trial = np.array([False] * 8 + [True] * 4 + [True] * 20)
    raw, weighted = votes_since(champion, trial, None), votes_since(champion, trial, 4.0)
    assert raw is not None
    assert weighted is not None
    assert raw.gain == pytest.approx(-4 / 32)
    assert weighted.gain == pytest.approx((4 * 4 - 8) / (8 + 4 * 24))
    assert (weighted.positive_flips, weighted.negative_flips) == (4, 8)
    assert weighted.effective_texts < 32
    assert step(weighted) is TrialStep.CONTINUE
    assert votes_since(champion[:0], trial[:0], 4.0) is None


def test_weighted_votes_that_all_agree_count_no_more_than_tosses_of_a_coin() -> None:
    against = votes_since(np.ones(4, np.bool_), np.zeros(4, np.bool_), 4.0)
    assert step(against) is TrialStep.CONTINUE
    more = votes_since(np.ones(6, np.bool_), np.zeros(6, np.bool_), 4.0)
    assert step(more) is TrialStep.ROLL_BACK
