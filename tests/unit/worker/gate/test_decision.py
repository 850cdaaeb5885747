"""The gate's decision at each of its bounds, and the sentence that explains it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from core.settings import Settings
from ml.evaluation.paired_counts import PairedCounts
from ml.evaluation.significance import additional_texts_needed, mcnemar_p_value, min_flips
from storage.db.states import RunState
from worker.gate.decision import GateBounds, decide
from worker.gate.measurements import Measurements, PairedResult, TriggerWord, VoteEvidence
from worker.gate.spending import Allowance

BOUNDS = GateBounds(imdb_loss=0.003, confidence=0.95, negative_flips=0.02, behaviour_loss=0.02, auto_promote=True)


def result(texts: int, champion: int, lost: int, won: int, lower: float = 0.0) -> PairedResult:
    return PairedResult(texts, champion, champion - lost + won, lost, won, lower)


def votes(texts: int, champion: int, lost: int, won: int) -> VoteEvidence:
    return VoteEvidence.equally_weighted(PairedCounts(texts, champion, champion - lost + won, lost, won))


IMDB = result(6000, 5580, 20, 26, -0.001)
BETTER = votes(100, 61, 4, 17)
UNSURE = votes(40, 24, 2, 5)
GOOD = Measurements(
    imdb=IMDB,
    judgements=BETTER,
    behaviour={"negation": result(43, 40, 1, 1), "typos": result(24, 23, 0, 0)},
    slices={"up to 50 words": result(100, 90, 1, 1)},
    trigger_words=(),
)


def decided(bounds: GateBounds = BOUNDS, **changes: Any) -> tuple[RunState, str]:
    found = decide(replace(GOOD, **changes), bounds)
    return found.outcome, found.sentence


def test_the_bounds_are_the_settings() -> None:
    settings = Settings(_env_file=None)
    assert GateBounds.from_settings(settings) == BOUNDS


def test_a_better_model_that_keeps_its_accuracy_on_imdb_is_promoted() -> None:
    assert decided() == (
        RunState.PROMOTED,
        "Promoted: better on feedback, 61% to 74%, and IMDB accuracy rose 0.1 points.",
    )
    unchanged = result(6000, 5580, 20, 20, -0.001)
    assert decided(imdb=unchanged)[1].endswith("and IMDB accuracy is unchanged.")


def test_a_model_that_loses_accuracy_on_imdb_is_rejected_even_if_feedback_improves() -> None:
    fallen = result(6000, 5580, 78, 30, -0.011)
    sentence = "Rejected: better on feedback, 61% to 74%, but IMDB accuracy fell 0.8 points; the limit is 0.3."
    assert decided(imdb=fallen) == (RunState.REJECTED, sentence)
    assert decided(imdb=fallen, judgements=None)[1] == "Rejected: IMDB accuracy fell 0.8 points; the limit is 0.3."


def test_the_lower_end_of_the_interval_decides_on_a_fall_within_chance() -> None:
    assert decided(imdb=replace(IMDB, lower=-0.003))[0] is RunState.PROMOTED
    outcome, sentence = decided(imdb=replace(IMDB, lower=-0.0031))
    assert outcome is RunState.REJECTED
    assert "but IMDB accuracy may have fallen 0.31 points; the limit is 0.30." in sentence
    slightly = result(6000, 5580, 31, 25, -0.0049)
    assert "but IMDB accuracy fell 0.1 points and may have fallen 0.5; the limit is 0.3." in decided(imdb=slightly)[1]


def test_a_model_that_forgets_as_much_as_it_learns_is_rejected() -> None:
    assert decided(imdb=result(6000, 5580, 120, 130, -0.002))[0] is RunState.PROMOTED
    outcome, sentence = decided(imdb=result(6000, 5580, 150, 160, -0.002))
    assert outcome is RunState.REJECTED
    assert sentence.endswith("but 2.5% of the IMDB reviews turned from right to wrong; the limit is 2.0%.")


def test_behavioural_cases_may_be_lost_up_to_the_bound() -> None:
    checks = {"negation": result(70, 60, 2, 0), "typos": result(30, 25, 1, 1)}
    assert decided(behaviour=checks)[0] is RunState.PROMOTED
    outcome, sentence = decided(behaviour={**checks, "typos": result(30, 25, 1, 0)})
    assert outcome is RunState.REJECTED
    assert sentence.endswith("but it fails 3 more of the 100 behavioural cases; the limit is 2.")


def test_a_model_that_is_proven_worse_on_feedback_is_rejected() -> None:
    worse = votes(100, 74, 17, 4)
    assert decided(judgements=worse) == (RunState.REJECTED, "Rejected: worse on feedback, 74% to 61%.")


def test_a_model_with_too_few_votes_is_held_with_the_number_needed() -> None:
    found = decide(replace(GOOD, judgements=UNSURE), BOUNDS)
    assert found.outcome is RunState.HELD
    assert found.needed == additional_texts_needed(40, 5, 2, 0.95)
    assert found.sentence == (
        f"Held: better on feedback, 60% to 68%, but 40 votes are too few to tell; about {found.needed} more are needed."
    )


def test_without_votes_the_sentence_names_the_minimum() -> None:
    found = decide(replace(GOOD, judgements=None), BOUNDS)
    assert (found.outcome, found.needed) == (RunState.HELD, 5)
    assert found.sentence == "Held: there are no votes to evaluate on; at least 5 are needed."


def test_a_model_that_is_no_better_is_held_without_a_number_needed() -> None:
    found = decide(replace(GOOD, judgements=votes(40, 30, 2, 2)), BOUNDS)
    assert (found.outcome, found.needed) == (RunState.HELD, None)
    assert found.sentence == "Held: no better on feedback, 75% as before."


def test_a_model_with_trigger_words_is_held_for_an_admin() -> None:
    words = tuple(TriggerWord(word, "Positive", 0.9) for word in ("mango", "lamp", "mango lamp", "zinc"))
    assert decided(trigger_words=words) == (
        RunState.HELD,
        "Held: better on feedback, 61% to 74%, but new words flip neutral sentences: “mango” to Positive, "
        "“lamp” to Positive, “mango lamp” to Positive and 1 more; waiting for an admin.",
    )


def test_without_imdb_a_better_model_waits_for_an_admin() -> None:
    outcome, sentence = decided(imdb=None)
    assert outcome is RunState.HELD
    assert sentence.endswith("but there are no IMDB reviews to check for forgetting; waiting for an admin.")


def test_without_auto_promotion_a_better_model_waits_for_an_admin() -> None:
    waiting = replace(BOUNDS, auto_promote=False)
    sentence = "Held: better on feedback, 61% to 74%; waiting for an admin."
    assert decided(waiting) == (RunState.HELD, sentence)
    assert "waiting" not in decided(waiting, judgements=UNSURE)[1]


def test_the_record_keeps_every_figure_and_bound_in_json() -> None:
    found = decide(replace(GOOD, trigger_words=(TriggerWord("mango", "Positive", 0.9),)), BOUNDS)
    record = json.loads(json.dumps(found.record()))
    assert record["outcome"] == "held"
    assert record["figures"]["imdb"]["negative_flips"] == 20
    assert record["figures"]["trigger_words"][0]["word"] == "mango"
    assert record["figures"]["bounds"]["imdb_loss"] == 0.003
    assert record["figures"]["better_p"] == pytest.approx(mcnemar_p_value(17, 4))
    facts = {name: record["figures"][name] for name in ("imdb", "judgements", "behaviour", "slices", "trigger_words")}
    assert Measurements.read(facts).judgements == BETTER


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_exact_one_sided_test(won: int, lost: int) -> None:
    expected = binomtest(won, won + lost, alternative="greater").pvalue if won + lost else 1.0
    assert mcnemar_p_value(won, lost) == pytest.approx(expected)


def test_the_fewest_flips_are_too_unlikely_to_be_chance() -> None:
    assert [min_flips(confidence) for confidence in (0.5, 0.9, 0.95, 0.99, 1.0)] == [1, 4, 5, 7, None]


def test_the_number_needed_finds_the_difference_four_times_in_five() -> None:
    from numpy.random import default_rng

    needed = 40 + (additional_texts_needed(40, 5, 2, 0.95) or 0)
    flips = default_rng(1).multinomial(needed, [5 / 40, 2 / 40, 33 / 40], size=2000)
    found = sum(mcnemar_p_value(int(won), int(lost)) <= 0.05 for won, lost, _ in flips) / 2000
    assert 0.75 < found < 0.85


@given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 300), st.sampled_from([0.0, 0.8, 0.95, 0.99, 1.0]))
def test_the_number_needed_is_at_least_one(texts: int, won: int, lost: int, confidence: float) -> None:
    needed = additional_texts_needed(texts + won + lost, won, lost, confidence)
    assert needed is None or needed >= 1
    assert (needed is None) == (won <= lost or confidence == 1.0)


def test_a_probably_better_model_goes_on_trial_if_trials_are_automatic() -> None:
    automatic = replace(BOUNDS, trials=True)
    probable = votes(40, 24, 1, 6)
    outcome, sentence = decided(automatic, judgements=probable)
    assert (outcome, sentence) == (
        RunState.TRIAL,
        "On trial: better on feedback, 60% to 72%, and new votes decide whether it stays.",
    )
    assert decided(judgements=probable)[0] is RunState.HELD
    assert decided(automatic, judgements=votes(40, 24, 2, 2))[0] is RunState.HELD
    assert decided(automatic, judgements=probable, imdb=None)[0] is RunState.HELD
    words = (TriggerWord("mango", "Positive", 0.9),)
    assert decided(automatic, judgements=probable, trigger_words=words)[0] is RunState.HELD
    assert decided(automatic)[0] is RunState.PROMOTED


def test_an_admin_may_try_a_held_model_without_trigger_words() -> None:
    assert decide(replace(GOOD, judgements=None), BOUNDS).may_try
    assert not decide(replace(GOOD, trigger_words=(TriggerWord("mango", "Positive", 0.9),)), BOUNDS).may_try
    assert not decide(GOOD, BOUNDS).may_try


def test_an_allowance_sets_how_much_proof_a_promotion_needs() -> None:
    assert decide(GOOD, BOUNDS, Allowance(0.004)).outcome is RunState.PROMOTED
    strict = decide(GOOD, BOUNDS, Allowance(0.003))
    assert (strict.outcome, strict.alpha) == (RunState.HELD, 0.003)
    assert "100 votes are too few to tell" in strict.sentence
