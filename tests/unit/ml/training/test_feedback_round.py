"""What a feedback round trains on and measures itself by, with the model that comes with the project as its anchor."""

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
# The anchor says Positive of the first and of the third.
JUDGED = [("A joy to the last.", 0), ("Dreadful from first to last.", 0), ("Wonderful, just wonderful.", 1)]


@pytest.fixture(scope="module")
def anchor() -> Classifier:
    return load_anchor(STARTER)


def corrections(*rows: tuple[str, int]) -> Corrections:
    return Corrections(pd.DataFrame(rows, columns=["text", "label"]), "judged.csv", 0)


def known(recipe: Recipe = RECIPE) -> DatasetSplits:
    return DatasetSplits.from_reviews(REVIEWS, Path("reviews.csv"), recipe, None)


def split_at(training_set: TrainingSet, count: int) -> tuple[list[str], list[str]]:
    """The first ``count`` texts of a training_set, and the others."""
    return list(training_set.examples.texts[:count]), list(training_set.examples.texts[count:])


@pytest.fixture(scope="module")
def training_set(anchor: Classifier) -> TrainingSet:
    """With the anchor's reviews."""
    return feedback_training_set(corrections(*JUDGED), known(), anchor, RECIPE)


@pytest.fixture(scope="module")
def alone(anchor: Classifier) -> TrainingSet:
    """Without them; one correction is a text of the behavioural checks."""
    checked = check_texts(read_checks())[0]
    return feedback_training_set(corrections(*JUDGED, (checked.upper(), 0)), None, anchor, RECIPE)


def test_corrections_stand_beside_as_many_training_reviews_as_the_recipe_says(training_set: TrainingSet) -> None:
    judged, replayed = split_at(training_set, len(JUDGED))
    assert judged == [text for text, _ in JUDGED]
    assert len(set(replayed)) == len(replayed) == RECIPE.replay
    assert set(replayed) <= set(known().split.train["text"])


def test_corrections_are_without_doubt_and_a_replay_is_as_the_anchor_says(
    training_set: TrainingSet, anchor: Classifier
) -> None:
    targets, (_, replayed) = training_set.examples.targets, split_at(training_set, len(JUDGED))
    assert targets[: len(JUDGED)].tolist() == [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    said = probabilities(anchor.engine.logits(replayed)[0], 1.0)
    np.testing.assert_allclose(targets[len(JUDGED) :], said, atol=1e-6)
    assert targets[len(JUDGED) :].min() > 0, "not the labels of the file"


def test_the_replay_is_drawn_by_the_seed(training_set: TrainingSet, anchor: Classifier) -> None:
    again, other = (
        feedback_training_set(corrections(*JUDGED), known(), anchor, replace(RECIPE, seed=seed))
        for seed in (RECIPE.seed, 1)
    )
    assert again.examples.texts == training_set.examples.texts
    assert set(other.examples.texts) != set(training_set.examples.texts)


def test_all_known_reviews_are_replayed_where_there_are_no_more(anchor: Classifier) -> None:
    found = feedback_training_set(corrections(*JUDGED), known(), anchor, replace(RECIPE, replay=1000))
    assert sorted(split_at(found, len(JUDGED))[1]) == sorted(known().split.train["text"])


LONG = pd.DataFrame(
    {
        "text": [" ".join(f"w{number}-{word}" for word in range(300)) for number in range(60)],
        "label": [1, 0] * 30,
        "split": ["train"] * 50 + ["test"] * 10,
    }
)


def replayed_of(reviews: pd.DataFrame, anchor: Classifier, replay: int) -> tuple[list[str], pd.DataFrame]:
    """What a round replays of reviews, and those that it may."""
    recipe = replace(RECIPE, replay=replay)
    data = DatasetSplits.from_reviews(reviews, Path("reviews.csv"), recipe, None)
    training_set = feedback_training_set(corrections(*JUDGED), data, anchor, recipe)
    return split_at(training_set, len(JUDGED))[1], data.split.train


def test_of_a_long_review_a_part_is_replayed(anchor: Classifier) -> None:
    replayed, train = replayed_of(LONG, anchor, replay=40)
    assert len(replayed) == 40
    assert all(8 <= len(part.split()) <= 100 and any(part in text for text in train["text"]) for part in replayed)
    assert len({len(part.split()) for part in replayed}) > 10, "of all lengths"


def test_a_part_never_begins_or_ends_within_a_line_break(anchor: Classifier) -> None:
    broken = LONG.assign(text=LONG["text"].str.replace(" ", "<br /><br />"))
    replayed, _ = replayed_of(broken, anchor, replay=40)
    assert not any("<" in text or ">" in text for text in replayed)
    assert max(len(text.split()) for text in replayed) > 8


def test_what_the_anchor_is_least_sure_of_is_replayed(anchor: Classifier) -> None:
    opinions = ("A masterpiece, I loved it.", "A film.", "It has scenes.")
    reviews = pd.DataFrame({"text": [f"{opinions[row % 3]} Number {row}." for row in range(60)], "label": [1, 0] * 30})
    replayed, train = replayed_of(reviews, anchor, replay=25)
    assert 25 < len(train) <= 2 * 25, "all of them are drawn"
    assert len(replayed) == 25
    assert not any(text.startswith(opinions[0]) for text in replayed)


def test_dev_is_untouched_and_nothing_of_it_or_of_the_test_part_is_trained_on(anchor: Classifier) -> None:
    data = known()
    dev, test = data.split.dev["text"].iloc[0], data.test["text"].iloc[0]
    judged = corrections((dev.upper(), 0), (test, 1), *JUDGED)
    found = feedback_training_set(judged, data, anchor, replace(RECIPE, replay=1000))
    pd.testing.assert_frame_equal(found.dev, data.split.dev)
    trained = {text.lower() for text in found.examples.texts}
    assert not trained & {text.lower() for text in data.held_out["text"]}
    assert found.manifest_data["corrections"]["left_out_because_held_out"] == 2
    assert found.corrections["text"].tolist() == [text for text, _ in JUDGED]


@pytest.mark.parametrize(
    "other", [{"window": 64}, {"overlap": 8}, {"reading": "head"}], ids=lambda each: next(iter(each))
)
def test_a_recipe_that_reads_otherwise_than_the_anchor_is_refused(anchor: Classifier, other: dict[str, Any]) -> None:
    with pytest.raises(
        UnusableAnchor, match=r"it reads texts in windows of 128 tokens that overlap by 32 \(whole\)"
    ) as caught:
        feedback_training_set(corrections(*JUDGED), None, anchor, replace(RECIPE, **other))
    assert "the recipe feedback" in str(caught.value)


def test_corrections_that_are_all_held_out_are_told(anchor: Classifier) -> None:
    data = known()
    with pytest.raises(TooFewCorrections, match=r"judged\.csv has no correction"):
        feedback_training_set(corrections((data.test["text"].iloc[0], 1)), data, anchor, RECIPE)


def test_a_training_review_that_was_corrected_is_not_replayed_beside_its_correction(anchor: Classifier) -> None:
    text = known().split.train["text"].iloc[0]
    found = feedback_training_set(corrections((text.upper(), 0)), known(), anchor, replace(RECIPE, replay=1000))
    assert [shown.lower() for shown in found.examples.texts].count(text.lower()) == 1
    assert found.examples.targets[0].tolist() == [1.0, 0.0]


def test_the_facts_say_where_everything_is_from(training_set: TrainingSet, anchor: Classifier) -> None:
    judged, replayed = split_at(training_set, len(JUDGED))
    facts, data = training_set.manifest_data, known().manifest_data()
    assert facts["anchor"] == anchor.version
    assert facts["replay"] == {"file": "reviews.csv", "texts": len(replayed), "digest": digest(replayed)}
    assert facts["corrections"]["digest"] == digest(judged)
    assert facts["corrections"]["anchor_right"] == pytest.approx(2 / 3)
    assert {name: facts[name] for name in data} == data


def test_a_manifest_tells_whether_the_checks_were_replayed(training_set: TrainingSet, alone: TrainingSet) -> None:
    assert replays_checks(alone.manifest_data)
    assert not replays_checks(training_set.manifest_data)
    assert not replays_checks({})


def test_without_the_anchors_reviews_the_behavioural_checks_are_replayed(
    alone: TrainingSet, anchor: Classifier
) -> None:
    judged, replayed = split_at(alone, len(JUDGED) + 1)
    texts = check_texts(read_checks())
    assert replayed == texts[1:], "all but the one that was corrected"
    assert judged[-1] == texts[0].upper()
    said = probabilities(anchor.engine.logits(replayed[:20])[0], 1.0)
    np.testing.assert_allclose(alone.examples.targets[len(judged) :][:20], said, atol=0.05)
    assert alone.dev.empty
    assert alone.manifest_data["replay"] == {"file": None, "texts": len(texts) - 1, "digest": digest(texts[1:])}
    assert "dev" not in alone.manifest_data


def test_reviews_that_the_anchor_did_not_hold_out_are_told(training_set: TrainingSet, anchor: Classifier) -> None:
    assert training_set.manifest_data["dev_is_the_anchors"] is False
    own = replace(anchor, manifest=replace(anchor.manifest, data={"dev": known().manifest_data()["dev"]}))
    found = feedback_training_set(corrections(*JUDGED), known(), own, RECIPE)
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


def test_a_folder_that_is_no_published_model_is_no_anchor(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UnusableAnchor, match="it is not a published model") as caught:
            load_anchor(folder)
        assert str(folder) in str(caught.value)
        assert caught.value.exit_code == 2


def test_what_came_out_of_a_feedback_round_is_no_anchor(tmp_path: Path) -> None:
    for path in STARTER.iterdir():
        if path.name != MANIFEST:
            (tmp_path / path.name).symlink_to(path)
    manifest = Manifest.read(STARTER)
    replace(manifest, data={"anchor": manifest.version}).write(tmp_path)
    with pytest.raises(UnusableAnchor, match=f"the result of a feedback round from {manifest.version}"):
        load_anchor(tmp_path)
