"""The training set for a feedback round, with the starter model as the anchor."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from paths import STARTER

from cli.fine_tune import result_text
from ml.errors import TooFewCorrections, UnusableAnchor
from ml.evaluation.behavioural_checks import check_texts
from ml.evaluation.check_files import read_checks
from ml.serving.artifact import MANIFEST, Manifest, replays_checks
from ml.serving.engine import Classifier, probabilities
from ml.text.fingerprints import digest
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits
from ml.training.feedback_round import base_model_from, feedback_training_set, load_anchor
from ml.training.frozen_features import FrozenEncoder
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingSet

RECIPE = replace(Recipe.load("feedback"), replay=7, dev=0.2)
REVIEWS = pd.DataFrame(
    {
        "text": [f"{opinion} Number {number}." for number in range(30) for opinion in ("A joy.", "A bore.")],
        "label": [1, 0] * 30,
        "split": ["train"] * 50 + ["test"] * 10,
    }
)
# The anchor classifies the first and third texts as Positive.
CORRECTIONS = [("A joy to the last.", 0), ("Dreadful from first to last.", 0), ("Wonderful, just wonderful.", 1)]


@pytest.fixture(scope="module")
def anchor() -> Classifier:
    return load_anchor(STARTER)


def corrections(*rows: tuple[str, int]) -> Corrections:
    return Corrections(pd.DataFrame(rows, columns=["text", "label"]), "corrections.csv", 0)


def anchor_data(recipe: Recipe = RECIPE) -> DatasetSplits:
    return DatasetSplits.from_reviews(REVIEWS, Path("reviews.csv"), recipe, None)


def split_at(training_set: TrainingSet, count: int) -> tuple[list[str], list[str]]:
    """Return the first ``count`` example texts, and the remaining texts."""
    return list(training_set.examples.texts[:count]), list(training_set.examples.texts[count:])


@pytest.fixture(scope="module")
def training_set(anchor: Classifier) -> TrainingSet:
    """A training set with reviews to replay."""
    return feedback_training_set(corrections(*CORRECTIONS), anchor_data(), FrozenEncoder(anchor), RECIPE)


@pytest.fixture(scope="module")
def without_reviews(anchor: Classifier) -> TrainingSet:
    """A training set without reviews. One correction is a text from the behavioural checks."""
    check_text = check_texts(read_checks())[0]
    return feedback_training_set(
        corrections(*CORRECTIONS, (check_text.upper(), 0)), None, FrozenEncoder(anchor), RECIPE
    )


def test_the_recipe_says_how_many_reviews_are_replayed_beside_the_corrections(training_set: TrainingSet) -> None:
    corrected, replayed = split_at(training_set, len(CORRECTIONS))
    assert corrected == [text for text, _ in CORRECTIONS]
    assert len(set(replayed)) == len(replayed) == RECIPE.replay
    assert set(replayed) <= set(anchor_data().split.train["text"])


def test_corrections_have_hard_targets_and_the_replay_has_the_anchors_probabilities(
    training_set: TrainingSet, anchor: Classifier
) -> None:
    targets, (_, replayed) = training_set.examples.targets, split_at(training_set, len(CORRECTIONS))
    assert targets[: len(CORRECTIONS)].tolist() == [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    anchor_probabilities = probabilities(anchor.engine.logits(replayed)[0], 1.0)
    np.testing.assert_allclose(targets[len(CORRECTIONS) :], anchor_probabilities, atol=1e-6)
    assert targets[len(CORRECTIONS) :].min() > 0, "the targets are not the file's labels"


def test_the_replay_is_drawn_by_the_seed(training_set: TrainingSet, anchor: Classifier) -> None:
    again, other = (
        feedback_training_set(
            corrections(*CORRECTIONS), anchor_data(), FrozenEncoder(anchor), replace(RECIPE, seed=seed)
        )
        for seed in (RECIPE.seed, 1)
    )
    assert again.examples.texts == training_set.examples.texts
    assert set(other.examples.texts) != set(training_set.examples.texts)


def test_every_train_review_is_replayed_if_there_are_too_few(anchor: Classifier) -> None:
    found = feedback_training_set(
        corrections(*CORRECTIONS), anchor_data(), FrozenEncoder(anchor), replace(RECIPE, replay=1000)
    )
    assert sorted(split_at(found, len(CORRECTIONS))[1]) == sorted(anchor_data().split.train["text"])


LONG = pd.DataFrame(
    {
        "text": [" ".join(f"w{number}-{word}" for word in range(300)) for number in range(60)],
        "label": [1, 0] * 30,
        "split": ["train"] * 50 + ["test"] * 10,
    }
)


def replay_from(reviews: pd.DataFrame, anchor: Classifier, replay: int) -> tuple[list[str], pd.DataFrame]:
    """Return the texts that a round replays, and the training reviews from which it takes them."""
    recipe = replace(RECIPE, replay=replay)
    data = DatasetSplits.from_reviews(reviews, Path("reviews.csv"), recipe, None)
    training_set = feedback_training_set(corrections(*CORRECTIONS), data, FrozenEncoder(anchor), recipe)
    return split_at(training_set, len(CORRECTIONS))[1], data.split.train


def test_long_reviews_are_replayed_as_excerpts(anchor: Classifier) -> None:
    replayed, train = replay_from(LONG, anchor, replay=40)
    assert len(replayed) == 40
    assert all(
        8 <= len(excerpt.split()) <= 100 and any(excerpt in text for text in train["text"]) for excerpt in replayed
    )
    assert len({len(excerpt.split()) for excerpt in replayed}) > 10, "of many lengths"


def test_an_excerpt_never_contains_part_of_a_line_break(anchor: Classifier) -> None:
    broken = LONG.assign(text=LONG["text"].str.replace(" ", "<br /><br />"))
    replayed, _ = replay_from(broken, anchor, replay=40)
    assert not any("<" in text or ">" in text for text in replayed)
    assert max(len(text.split()) for text in replayed) > 8


def test_the_texts_with_the_least_confidence_are_replayed(anchor: Classifier) -> None:
    opinions = ("A masterpiece, I loved it.", "A film.", "It has scenes.")
    reviews = pd.DataFrame({"text": [f"{opinions[row % 3]} Number {row}." for row in range(60)], "label": [1, 0] * 30})
    replayed, train = replay_from(reviews, anchor, replay=25)
    assert 25 < len(train) <= 2 * 25, "every review is drawn"
    assert len(replayed) == 25
    assert not any(text.startswith(opinions[0]) for text in replayed)


def test_dev_is_unchanged_and_no_text_of_dev_or_test_is_trained_on(anchor: Classifier) -> None:
    data = anchor_data()
    dev, test = data.split.dev["text"].iloc[0], data.test["text"].iloc[0]
    corrected = corrections((dev.upper(), 0), (test, 1), *CORRECTIONS)
    found = feedback_training_set(corrected, data, FrozenEncoder(anchor), replace(RECIPE, replay=1000))
    pd.testing.assert_frame_equal(found.dev, data.split.dev)
    trained = {text.lower() for text in found.examples.texts}
    assert not trained & {text.lower() for text in data.held_out["text"]}
    assert found.manifest_data["corrections"]["left_out_because_held_out"] == 2
    assert found.corrections["text"].tolist() == [text for text, _ in CORRECTIONS]


@pytest.mark.parametrize(
    "other", [{"window": 64}, {"overlap": 8}, {"reading": "head"}], ids=lambda each: next(iter(each))
)
def test_a_recipe_with_other_windows_than_the_anchor_is_refused(anchor: Classifier, other: dict[str, Any]) -> None:
    with pytest.raises(
        UnusableAnchor, match=r"it reads texts in windows of 128 tokens that overlap by 32 \(whole\)"
    ) as caught:
        feedback_training_set(corrections(*CORRECTIONS), None, FrozenEncoder(anchor), replace(RECIPE, **other))
    assert "the recipe feedback" in str(caught.value)


def test_corrections_that_are_all_held_out_are_refused(anchor: Classifier) -> None:
    data = anchor_data()
    with pytest.raises(TooFewCorrections, match=r"corrections\.csv has no correction"):
        feedback_training_set(corrections((data.test["text"].iloc[0], 1)), data, FrozenEncoder(anchor), RECIPE)


def test_a_corrected_review_is_not_replayed(anchor: Classifier) -> None:
    text = anchor_data().split.train["text"].iloc[0]
    found = feedback_training_set(
        corrections((text.upper(), 0)), anchor_data(), FrozenEncoder(anchor), replace(RECIPE, replay=1000)
    )
    assert [shown.lower() for shown in found.examples.texts].count(text.lower()) == 1
    assert found.examples.targets[0].tolist() == [1.0, 0.0]


def test_the_manifest_data_describes_the_origin_of_all_examples(training_set: TrainingSet, anchor: Classifier) -> None:
    corrected, replayed = split_at(training_set, len(CORRECTIONS))
    facts, data = training_set.manifest_data, anchor_data().manifest_data()
    assert facts["anchor"] == anchor.version
    assert facts["replay"] == {"file": "reviews.csv", "texts": len(replayed), "digest": digest(replayed)}
    assert facts["corrections"]["digest"] == digest(corrected)
    assert facts["corrections"]["anchor_right"] == pytest.approx(2 / 3)
    assert {name: facts[name] for name in data} == data


def test_replays_checks_is_true_only_without_reviews(training_set: TrainingSet, without_reviews: TrainingSet) -> None:
    assert replays_checks(without_reviews.manifest_data)
    assert not replays_checks(training_set.manifest_data)
    assert not replays_checks({})


def test_without_reviews_the_behavioural_checks_are_replayed(without_reviews: TrainingSet, anchor: Classifier) -> None:
    corrected, replayed = split_at(without_reviews, len(CORRECTIONS) + 1)
    texts = check_texts(read_checks())
    assert replayed == texts[1:], "all except the corrected one"
    assert corrected[-1] == texts[0].upper()
    anchor_probabilities = probabilities(anchor.engine.logits(replayed[:20])[0], 1.0)
    np.testing.assert_allclose(without_reviews.examples.targets[len(corrected) :][:20], anchor_probabilities, atol=0.05)
    assert without_reviews.dev.empty
    assert without_reviews.manifest_data["replay"] == {
        "file": None,
        "texts": len(texts) - 1,
        "digest": digest(texts[1:]),
    }
    assert "dev" not in without_reviews.manifest_data


def test_a_dev_that_is_not_the_anchors_is_reported(training_set: TrainingSet, anchor: Classifier) -> None:
    assert training_set.manifest_data["dev_is_the_anchors"] is False
    own = replace(anchor, manifest=replace(anchor.manifest, data={"dev": anchor_data().manifest_data()["dev"]}))
    found = feedback_training_set(corrections(*CORRECTIONS), anchor_data(), FrozenEncoder(own), RECIPE)
    assert found.manifest_data["dev_is_the_anchors"] is True
    dev = {"dev": {"accuracy": 0.9, "reviews": 12, "calibration_error": 0.0123}}
    sentences = [
        result_text(replace(anchor.manifest, data=each.manifest_data, figures=dev), Path("mine"))
        for each in (training_set, found)
    ]
    assert ["it may have been trained on some of these" in sentence for sentence in sentences] == [True, False]


def test_a_round_starts_from_the_anchors_weights_and_temperature(anchor: Classifier) -> None:
    base = base_model_from(anchor)
    assert (base.name, base.folder, base.temperature) == (anchor.version, STARTER, anchor.manifest.temperature)


def test_a_folder_that_is_not_a_published_model_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UnusableAnchor, match="it is not a published model") as caught:
            load_anchor(folder)
        assert str(folder) in str(caught.value)
        assert caught.value.exit_code == 2


def test_the_result_of_a_feedback_round_is_refused_as_an_anchor(tmp_path: Path) -> None:
    for path in STARTER.iterdir():
        if path.name != MANIFEST:
            (tmp_path / path.name).symlink_to(path)
    manifest = Manifest.read(STARTER)
    replace(manifest, data={"anchor": manifest.version}).write(tmp_path)
    with pytest.raises(UnusableAnchor, match=f"the result of a feedback round from {manifest.version}"):
        load_anchor(tmp_path)
