"""The evidence from votes, and how stored measurements are read."""

import json
from dataclasses import asdict
from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from ml.evaluation.paired_counts import PairedCounts
from worker.gate.measurements import Measurements, PairedResult, TriggerWord, VoteEvidence

counts = st.builds(
    lambda lost, won, right, wrong: PairedCounts(lost + won + right + wrong, lost + right, won + right, lost, won),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 200),
    st.integers(1, 200),
)


@given(counts)
def test_equal_weights_give_the_plain_difference_with_an_interval_around_it(found: PairedCounts) -> None:
    evidence = VoteEvidence.equally_weighted(found)
    assert isclose(evidence.gain, (found.positive_flips - found.negative_flips) / found.texts)
    assert evidence.standard_error > 0
    assert -1 <= evidence.lower <= evidence.gain <= evidence.upper <= 1
    assert evidence.effective_texts == evidence.texts == found.texts
    assert evidence.unknown is None


def test_measurements_survive_a_record() -> None:
    votes = VoteEvidence(10, 5, 6, 1, 2, 0.02, 0.1, -0.1, 0.2, 0.7, 8.5, 0.31, 4.0, "only mistakes were voted")
    measured = Measurements(
        imdb=PairedResult(10, 8, 8, 1, 1, -0.1),
        judgements=votes,
        behaviour={},
        slices={},
        trigger_words=(TriggerWord("mango", "Positive", 0.9),),
    )
    assert Measurements.read(json.loads(json.dumps(asdict(measured)))) == measured


def test_a_record_without_an_estimate_counts_every_vote_equally() -> None:
    older = {
        "texts": 100,
        "champion_right": 61,
        "candidate_right": 74,
        "negative_flips": 4,
        "positive_flips": 17,
        "lower": 0.05,
    }
    assert VoteEvidence.read(older) == VoteEvidence.equally_weighted(PairedCounts(100, 61, 74, 4, 17))
