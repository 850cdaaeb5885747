"""What a fine-tune trains on and measures itself on."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from config.errors import TooFewReviews
from ml.data import read_reviews
from ml.recipe import Recipe
from ml.training_data import TrainingData

RECIPE = replace(Recipe.named("default"), dev=0.2)


@pytest.mark.parametrize("rows", [["positive"] * 40, ["positive", "negative"]])
def test_too_few_reviews_of_a_label_are_told(tmp_path: Path, rows: list[str]) -> None:
    path = tmp_path / "reviews.csv"
    pd.DataFrame({"review": [f"Number {n}." for n in range(len(rows))], "sentiment": rows}).to_csv(path, index=False)
    with pytest.raises(TooFewReviews) as caught:
        TrainingData.choose(read_reviews(path), path, RECIPE, None)
    assert f"{path} gives {len(rows)} reviews" in str(caught.value)


def test_only_the_official_train_part_is_used_without_the_texts_of_the_test_part() -> None:
    reviews = pd.DataFrame({"text": [f"Number {n}." for n in range(60)], "label": [n % 2 for n in range(60)]})
    reviews["split"] = ["test" if n < 20 else "train" for n in range(60)]
    shared = pd.DataFrame({"text": ["NUMBER 3"], "label": [1], "split": ["train"]})
    chosen = TrainingData.choose(pd.concat([reviews, shared], ignore_index=True), Path("reviews.csv"), RECIPE, None)
    used = pd.concat([chosen.split.train, chosen.split.dev])
    assert set(used["text"]) == {f"Number {n}." for n in range(20, 60)}
    assert chosen.facts()["left_out_because_in_test"] == 1


def test_a_limit_draws_by_the_seed() -> None:
    reviews = pd.DataFrame({"text": [f"Number {n}." for n in range(200)], "label": [n % 2 for n in range(200)]})
    drawn = [
        TrainingData.choose(reviews, Path("reviews.csv"), replace(RECIPE, seed=seed), 50).facts() for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0]["train"]["digest"] != drawn[2]["train"]["digest"]
    assert drawn[0]["train"]["reviews"] + drawn[0]["dev"]["reviews"] == 50
