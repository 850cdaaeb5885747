"""Heads are fitted on frozen features, and each fold's votes are measured with the head fitted on the other folds."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.training.correction_head import HeadExamples, fit_head
from ml.training.cross_fit import MAX_FOLDS, SPREADS, assign_folds, cross_fit

NUMBERS = 40
Rng = np.random.Generator


@pytest.fixture
def rng() -> Rng:
    return np.random.default_rng(7)


def examples(rng: Rng, texts: int, targets: npt.NDArray[np.bool_] | None = None) -> HeadExamples:
    """Return texts on which the model is undecided. If there are no ``targets``, the first input decides the label."""
    inputs = (rng.standard_normal((texts, NUMBERS)) / np.sqrt(NUMBERS)).astype(np.float32)
    decided = inputs[:, 0] > 0 if targets is None else targets
    return HeadExamples(inputs, np.zeros(texts), decided.astype(np.float64))


def everything(texts: int) -> npt.NDArray[np.bool_]:
    return np.ones(texts, np.bool_)


@given(st.lists(st.sampled_from([f"group {n}" for n in range(12)]), max_size=60))
def test_a_group_is_in_one_fold_and_the_folds_are_few(groups: list[str]) -> None:
    folds = assign_folds(groups)
    fold_of_group = dict(zip(groups, folds.tolist(), strict=True))
    assert [fold_of_group[group] for group in groups] == folds.tolist()
    assert set(folds.tolist()) == set(range(min(MAX_FOLDS, len(fold_of_group))))


def test_folds_have_about_the_same_number_of_texts() -> None:
    folds = assign_folds([f"{n // 2}" for n in range(100)])
    assert set(Counter(folds.tolist()).values()) == {20}


def test_a_head_learns_what_the_model_does_not_know(rng: Rng) -> None:
    known, fresh = examples(rng, 400), examples(rng, 400)
    weights = fit_head(known, everything(400), 8.0, np.zeros(NUMBERS))
    correct = (fresh.inputs @ weights > 0) == (fresh.targets > 0.5)
    assert correct.mean() > 0.9


def test_a_narrow_prior_and_replayed_texts_keep_the_model_as_it_is(rng: Rng) -> None:
    known = examples(rng, 50)
    narrow = fit_head(known, everything(50), 0.01, np.zeros(NUMBERS))
    assert np.abs(known.inputs @ narrow).max() < 0.01
    targets = np.full(50, 0.5)  # the model's own probabilities
    replayed = HeadExamples(known.inputs, known.margins, targets)
    assert np.abs(fit_head(replayed, everything(50), 8.0, np.zeros(NUMBERS))).max() < 1e-6


def test_texts_that_are_not_used_have_no_influence(rng: Rng) -> None:
    known = examples(rng, 60)
    used = np.arange(60) < 40
    other = HeadExamples(known.inputs, known.margins, np.where(used, known.targets, 1 - known.targets))
    start = np.zeros(NUMBERS)
    assert np.array_equal(fit_head(known, used, 2.0, start), fit_head(other, used, 2.0, start))


def test_random_labels_are_guessed_although_a_head_could_learn_them_by_heart(rng: Rng) -> None:
    texts = 400
    random = examples(rng, texts, rng.random(texts) > 0.5)
    random = HeadExamples(np.eye(texts, dtype=np.float32), random.margins, random.targets)
    by_heart = fit_head(random, everything(texts), SPREADS[-1], np.zeros(texts))
    assert ((random.inputs @ by_heart > 0) == (random.targets > 0.5)).all()
    random = examples(rng, texts, random.targets > 0.5)
    margins = cross_fit(random, assign_folds([str(n) for n in range(texts)]), everything(texts))
    assert 0.4 < ((margins > 0) == (random.targets > 0.5)).mean() < 0.6


def test_a_text_is_predicted_from_the_other_folds(rng: Rng) -> None:
    known = examples(rng, 200)
    folds = assign_folds([str(n) for n in range(200)])
    margins = cross_fit(known, folds, everything(200))
    assert ((margins > 0) == (known.targets > 0.5)).mean() > 0.8
    # Nothing about a fold's own labels reaches its margins except which of a few priors its neighbours prefer.
    turned = HeadExamples(known.inputs, known.margins, np.where(folds == 0, 1 - known.targets, known.targets))
    nearby = cross_fit(turned, folds, everything(200))[folds == 0]
    assert ((nearby > 0) == (margins[folds == 0] > 0)).mean() > 0.8


def test_texts_that_do_not_train_are_measured_too(rng: Rng) -> None:
    known = examples(rng, 300)
    trained = np.arange(300) < 200
    margins = cross_fit(known, assign_folds([str(n) for n in range(300)]), trained)
    assert ((margins > 0) == (known.targets > 0.5))[~trained].mean() > 0.8


def test_one_group_is_measured_by_the_model_itself(rng: Rng) -> None:
    known = examples(rng, 3)
    own = HeadExamples(known.inputs, np.array([1.0, -2.0, 0.5]), known.targets)
    assert cross_fit(own, assign_folds(["a", "a", "a"]), everything(3)).tolist() == [1.0, -2.0, 0.5]
    assert cross_fit(own, assign_folds(["a", "b", "c"]), ~everything(3)).tolist() == [1.0, -2.0, 0.5]
