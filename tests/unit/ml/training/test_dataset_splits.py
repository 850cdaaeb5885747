"""A fine-tune's dataset splits, and how the command's final sentence describes them."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from cli.fine_tune import result_text
from ml.data.reviews import read_reviews
from ml.errors import TooFewReviews
from ml.serving.artifact import Manifest
from ml.text.fingerprints import digest
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe

RECIPE = replace(Recipe.load("default"), dev=0.2)


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        (
            ["positive"] * 40,
            "training (32 reviews) has no negative reviews and dev (8 reviews) has no negative reviews.",
        ),
        (["positive", "negative"], "dev (0 reviews) has no negative or positive reviews."),
    ],
)
def test_too_few_reviews_of_a_label_are_refused(tmp_path: Path, rows: list[str], missing: str) -> None:
    path = tmp_path / "reviews.csv"
    pd.DataFrame({"review": [f"Number {n}." for n in range(len(rows))], "sentiment": rows}).to_csv(path, index=False)
    with pytest.raises(TooFewReviews) as caught:
        DatasetSplits.from_reviews(read_reviews(path), path, RECIPE, None)
    assert f"{path} has only {len(rows)} reviews" in str(caught.value)
    assert missing in str(caught.value)


def test_the_official_train_split_is_used_without_texts_of_the_test_split() -> None:
    reviews = pd.DataFrame({"text": [f"Number {n}." for n in range(60)], "label": [n % 2 for n in range(60)]})
    reviews["split"] = ["test" if n < 20 else "train" for n in range(60)]
    shared = pd.DataFrame({"text": ["NUMBER 3"], "label": [1], "split": ["train"]})
    splits = DatasetSplits.from_reviews(
        pd.concat([reviews, shared], ignore_index=True), Path("reviews.csv"), RECIPE, None
    )
    used = pd.concat([splits.split.train, splits.split.dev])
    assert set(used["text"]) == {f"Number {n}." for n in range(20, 60)}
    assert splits.manifest_data()["left_out_because_in_test"] == 1
    assert splits.manifest_data()["test"] == {"reviews": 20, "digest": digest(f"Number {n}." for n in range(20))}


def test_a_limit_draws_by_the_seed() -> None:
    reviews = pd.DataFrame({"text": [f"Number {n}." for n in range(200)], "label": [n % 2 for n in range(200)]})
    drawn = [
        DatasetSplits.from_reviews(reviews, Path("reviews.csv"), replace(RECIPE, seed=seed), 50).manifest_data()
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0]["train"]["digest"] != drawn[2]["train"]["digest"]
    assert drawn[0]["train"]["reviews"] + drawn[0]["dev"]["reviews"] == 50


def test_a_split_by_rows_ignores_official_splits_and_counts_shared_texts() -> None:
    reviews = pd.DataFrame({"text": [f"Number {n}." for n in range(200)], "label": [n % 2 for n in range(200)]})
    reviews["split"] = ["test" if n < 100 else "train" for n in range(200)]
    twice = reviews.head(100).assign(text=reviews["text"].str.upper())
    both = pd.concat([reviews, twice], ignore_index=True)
    splits = DatasetSplits.from_reviews(both, Path("reviews.csv"), Recipe.load("tutorial"), None)
    train, dev, manifest_data = splits.split.train, splits.split.dev, splits.manifest_data()
    assert (len(train), len(dev)) == (270, 30)
    assert set(train["split"]) == set(dev["split"]) == {"train", "test"}
    train_texts = set(train["text"].str.lower())
    assert manifest_data["dev_texts_also_in_train"] == sum(text.lower() in train_texts for text in dev["text"]) > 0
    assert (manifest_data["left_out_because_in_test"], manifest_data["left_out_because_in_dev"]) == (0, 0)
    assert manifest_data["test"]["reviews"] == 0, "the official test split is not kept aside"


def test_rows_are_shuffled_by_the_seed() -> None:
    reviews = pd.DataFrame({"text": [f"Number {n}." for n in range(100)], "label": [0] * 50 + [1] * 50})
    recipe = Recipe.load("tutorial")
    first, again, other = (
        DatasetSplits.from_reviews(reviews, Path("reviews.csv"), replace(recipe, seed=seed), 60).split
        for seed in (1, 1, 2)
    )
    assert first.train.equals(again.train)
    assert (len(first.train), len(first.dev)) == (54, 6)
    assert set(first.dev["text"]) != set(other.dev["text"])
    assert first.train["label"].nunique() == 2, "many files are sorted by label"


@pytest.mark.parametrize(("shared", "expected"), [(0, "error of 1.23%."), (76, "trained on 76 of them.")])
def test_the_final_sentence_reports_shared_texts(shared: int, expected: str) -> None:
    manifest = replace(
        Manifest.read(Path("models/starter")),
        data={"dev_texts_also_in_train": shared},
        figures={"dev": {"accuracy": 0.9, "reviews": 5000, "calibration_error": 0.0123}},
    )
    sentence = result_text(manifest, Path("mine"))
    assert "90.00%" in sentence
    assert expected in sentence
    assert ("also trained on" in sentence) == (shared > 0)


def test_corrections_are_added_and_replace_reviews_with_the_same_text() -> None:
    reviews = pd.DataFrame({"text": [f"Number {n}." for n in range(60)], "label": [n % 2 for n in range(60)]})
    splits = DatasetSplits.from_reviews(reviews, Path("reviews.csv"), RECIPE, None)
    trained, held_out = splits.split.train["text"].iloc[0], splits.split.dev["text"].iloc[0]
    label = int(splits.split.train["label"].iloc[0])
    corrections = pd.DataFrame({"text": [trained.upper(), held_out, "A gem."], "label": [1 - label, 0, 1]})
    training_set = splits.training_set(Corrections(corrections, "corrections.csv", 0))
    labels = dict(zip(training_set.examples.texts, training_set.examples.targets.argmax(axis=1).tolist(), strict=True))
    plain = splits.training_set()
    assert labels.keys() == {*plain.examples.texts, trained.upper(), "A gem."} - {trained}
    assert (labels[trained.upper()], labels["A gem."]) == (1 - label, 1)
    assert training_set.dev.equals(plain.dev)
    assert training_set.corrections["text"].tolist() == [trained.upper(), "A gem."]
    assert training_set.manifest_data["corrections"]["left_out_because_held_out"] == 1
    assert training_set.manifest_data["left_out_because_corrected"] == 1
    assert training_set.manifest_data["train"]["reviews"] == plain.manifest_data["train"]["reviews"] - 1
    assert "corrections" not in plain.manifest_data
