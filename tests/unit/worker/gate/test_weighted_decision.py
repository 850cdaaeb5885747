"""The decision when votes have different weights or prove nothing, and what the decision's card says about them."""

from dataclasses import replace

import numpy as np
import pytest

from ml.evaluation.paired_counts import PairedCounts
from ml.evaluation.significance import additional_weighted_texts_needed
from storage.db.states import RunState
from worker.gate.decision import GateBounds, decide
from worker.gate.explanation import voting_sentence
from worker.gate.measurements import Measurements, PairedResult, VoteEvidence

BOUNDS = GateBounds(imdb_loss=0.003, confidence=0.95, negative_flips=0.02, behaviour_loss=0.02, auto_promote=True)
PLAIN = VoteEvidence.equally_weighted(PairedCounts(100, 61, 74, 4, 17))
GOOD = Measurements(PairedResult(6000, 5580, 5586, 20, 26, -0.001), PLAIN, {}, {}, ())
FALLEN = PairedResult(6000, 5580, 5532, 78, 30, -0.011)
WEIGHTED = replace(
    PLAIN,
    gain=0.03,
    standard_error=0.02,
    lower=-0.009,
    upper=0.069,
    champion_accuracy=0.8,
    effective_texts=70.0,
    voted_share=0.31,
    mistake_ratio=4.1,
)


def test_weighted_votes_give_the_accuracy_on_all_verdicts_and_say_how_people_vote() -> None:
    found = decide(replace(GOOD, judgements=WEIGHTED), BOUNDS)
    assert found.outcome is RunState.HELD
    assert found.needed == additional_weighted_texts_needed(100, 0.03, 0.02, 0.95)
    assert found.sentence == (
        "Held: better on feedback, 80% to 83%, but 100 votes are too few to tell; about "
        f"{found.needed} more are needed. People voted on 31% of verdicts; mistakes about 4.1 times as often."
    )
    proven = replace(WEIGHTED, standard_error=0.01)
    assert decide(replace(GOOD, judgements=proven), BOUNDS).outcome is RunState.PROMOTED


def test_votes_that_cannot_tell_hold_the_candidate_and_say_what_is_missing() -> None:
    unknown = replace(WEIGHTED, unknown="people voted only on mistakes, so nobody can tell yet", mistake_ratio=None)
    found = decide(replace(GOOD, judgements=unknown), replace(BOUNDS, trials=True))
    assert (found.outcome, found.needed, found.may_try) == (RunState.HELD, None, True)
    assert found.sentence == (
        "Held: people voted only on mistakes, so nobody can tell yet. People voted on 31% of verdicts."
    )
    fallen = decide(replace(GOOD, judgements=unknown, imdb=FALLEN), BOUNDS)
    assert fallen.sentence.startswith("Rejected: IMDB accuracy fell 0.8 points; the limit is 0.3.")


@pytest.mark.parametrize(
    ("share", "ratio", "said"),
    [
        (0.31, 4.0, "People voted on 31% of verdicts; mistakes about 4 times as often."),
        (0.31, 12.3, "People voted on 31% of verdicts; mistakes about 12 times as often."),
        (0.02, 430.0, "People voted on 2% of verdicts; mistakes more than 20 times as often."),
        (0.31, 0.5, "People voted on 31% of verdicts; correct verdicts about 2 times as often."),
        (0.31, 1.1, "People voted on 31% of verdicts; mistakes about as often as correct verdicts."),
        (0.31, None, "People voted on 31% of verdicts."),
        (1.0, None, ""),
        (None, None, ""),
    ],
)
def test_the_card_says_on_how_many_verdicts_people_vote(share: float | None, ratio: float | None, said: str) -> None:
    assert voting_sentence(replace(PLAIN, voted_share=share, mistake_ratio=ratio)) == said


def test_the_number_of_weighted_texts_needed_finds_the_gain_four_times_in_five() -> None:
    needed = additional_weighted_texts_needed(100, 0.03, 0.02, 0.95)
    assert needed is not None
    error = 0.02 * (100 / (100 + needed)) ** 0.5
    proven = np.random.default_rng(1).normal(0.03, error, 4_000) > 1.645 * error
    assert 0.77 < proven.mean() < 0.83
    assert additional_weighted_texts_needed(100, 0.0, 0.02, 0.95) is None
