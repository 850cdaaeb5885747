"""The gate set always contains all reviews of the same movies, and each live version reads it only once."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
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


def model(folder: Path, manifest: str, asked: list[str]) -> Any:
    """Return a published model that returns text lengths as logits and appends the texts that it reads to ``asked``."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")

    def logits(texts: Sequence[str]) -> tuple[np.ndarray, None]:
        asked.extend(texts)
        return np.array([[len(text), 0] for text in texts], np.float32), None

    return SimpleNamespace(engine=SimpleNamespace(logits=logits), folder=folder)


def test_the_logits_are_computed_once_per_version_and_gate_set(tmp_path: Path) -> None:
    asked: list[str] = []
    gate = GateSet(["One.", "Another."], np.array([0, 1], np.int8), None)
    first, second = (model(tmp_path / name, name, asked) for name in ("first", "second"))
    cache = tmp_path / "gate"

    def cached(champion: Any, texts: GateSet) -> list[float]:
        return texts.champion_logits(champion, cache, lambda _: None)[:, 0].tolist()

    assert cached(first, gate) == cached(first, gate) == [4, 8]
    assert asked == gate.texts
    cached(second, gate)
    assert asked == gate.texts * 2
    reversed_set = GateSet(gate.texts[::-1], gate.labels[::-1], None)
    assert cached(first, reversed_set) == [8, 4]
    assert len(asked) == 6
    assert len(list(cache.iterdir())) == 3


@pytest.mark.parametrize("broken", [b"", b"half a file", None])
def test_unreadable_logits_are_computed_again(
    broken: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from safetensors.numpy import save_file

    asked: list[str] = []
    gate = GateSet(["One.", "Another."], np.array([0, 1], np.int8), None)
    champion = model(tmp_path / "model", "manifest", asked)
    expected = gate.champion_logits(champion, tmp_path / "gate", lambda _: None)
    (cached,) = (tmp_path / "gate").iterdir()
    if broken is None:
        save_file({"logits": np.full((2, 2), np.nan, np.float32)}, cached)
    else:
        cached.write_bytes(broken)
    assert gate.champion_logits(champion, tmp_path / "gate", lambda _: None).tolist() == expected.tolist()
    assert "computing them again" in caplog.text
    assert len(asked) == 4
    gate.champion_logits(champion, tmp_path / "gate", lambda _: None)
    assert len(asked) == 4


def test_without_a_writable_cache_the_logits_are_still_returned(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []
    (tmp_path / "gate").write_text("a file where the folder should be", encoding="utf-8")
    gate = GateSet(["One."], np.array([0], np.int8), None)
    assert gate.champion_logits(model(tmp_path / "model", "m", asked), tmp_path / "gate", lambda _: None).tolist() == [
        [4, 0]
    ]
    assert "Cannot cache the logits" in caplog.text
