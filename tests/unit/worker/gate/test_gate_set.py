"""The gate set consists of whole movies and does not depend on the training data."""

from pathlib import Path

import pandas as pd
import pytest

from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe
from worker.gate import gate_set
from worker.gate.gate_set import GateSet

RECIPE = Recipe.load("default")


def reviews(part: str, movies: int) -> pd.DataFrame:
    """Return four reviews for each movie, two with each label."""
    rows = [
        (f"Movie {movie} in {part}, review {n}.", n % 2, part, f"tt{movie}", 1 + n)
        for movie in range(movies)
        for n in range(4)
    ]
    return pd.DataFrame(rows, columns=["text", "label", "split", "movie", "rating"])


def choose(table: pd.DataFrame) -> GateSet:
    return GateSet.choose(DatasetSplits.from_reviews(table, Path("reviews.csv"), RECIPE, None))


@pytest.fixture
def forty_reviews(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_set, "REVIEWS", 40)


@pytest.mark.usefixtures("forty_reviews")
def test_whole_movies_of_the_official_test_part_are_drawn() -> None:
    table = pd.concat([reviews("train", 30), reviews("test", 30)])
    found = choose(table)
    assert len(found.texts) == 40
    movies = [text.partition(" in ")[0] for text in found.texts]
    assert all(movies.count(movie) == 4 for movie in movies)
    assert all("in test" in text for text in found.texts)
    assert found.labels.tolist() == [int(text[-2]) % 2 for text in found.texts]
    assert found.ratings is not None
    assert found.ratings.tolist() == [1 + int(text[-2]) for text in found.texts]


@pytest.mark.usefixtures("forty_reviews")
def test_the_draw_does_not_depend_on_the_training_part_or_the_order_of_movies() -> None:
    test = reviews("test", 30)
    first = choose(pd.concat([reviews("train", 30), test]))
    second = choose(pd.concat([test, reviews("train", 25)]))
    assert first.texts == second.texts


@pytest.mark.usefixtures("forty_reviews")
def test_the_remainder_is_the_other_movies_of_the_official_test_part() -> None:
    table = pd.concat([reviews("train", 30), reviews("test", 30)])
    known = DatasetSplits.from_reviews(table, Path("reviews.csv"), RECIPE, None)
    gate, rest = GateSet.choose(known), GateSet.remainder(known)
    assert len(gate.texts) + len(rest.texts) == 120
    assert all("in test" in text for text in rest.texts)
    movies = [{text.partition(" in ")[0] for text in part.texts} for part in (gate, rest)]
    assert not movies[0] & movies[1]
    assert rest.labels.tolist() == [int(text[-2]) % 2 for text in rest.texts]


@pytest.mark.parametrize("parts", [1, 2])
def test_a_small_or_missing_test_part_has_no_remainder(parts: int) -> None:
    table = pd.concat([reviews("train", 30), reviews("test", 3)][:parts])
    assert GateSet.remainder(DatasetSplits.from_reviews(table, Path("reviews.csv"), RECIPE, None)).texts == []


def test_a_small_test_part_is_taken_whole() -> None:
    assert len(choose(pd.concat([reviews("train", 30), reviews("test", 3)])).texts) == 12


def test_without_official_parts_the_dev_reviews_are_the_gate_set() -> None:
    table = reviews("train", 60).drop(columns="split")
    known = DatasetSplits.from_reviews(table, Path("reviews.csv"), RECIPE, None)
    found = GateSet.choose(known)
    assert found.texts == known.split.dev["text"].tolist()
    assert not set(found.texts) & set(known.split.train["text"])
