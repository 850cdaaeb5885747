"""The reviews of the gate: always the same, whole movies, and asked of the live model once a version."""

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
    """Four reviews of each movie, two of each label."""
    rows = [
        (f"Movie {movie} in {part}, review {n}.", n % 2, part, f"tt{movie}", 1 + n)
        for movie in range(movies)
        for n in range(4)
    ]
    return pd.DataFrame(rows, columns=["text", "label", "split", "movie", "rating"])


def chosen(table: pd.DataFrame) -> GateSet:
    return GateSet.choose(DatasetSplits.from_reviews(table, Path("reviews.csv"), RECIPE, None))


@pytest.fixture
def forty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_set, "REVIEWS", 40)


@pytest.mark.usefixtures("forty")
def test_whole_movies_of_the_official_test_part_are_drawn() -> None:
    table = pd.concat([reviews("train", 30), reviews("test", 30)])
    found = chosen(table)
    assert len(found.texts) == 40
    movies = [text.partition(" in ")[0] for text in found.texts]
    assert all(movies.count(movie) == 4 for movie in movies)
    assert all("in test" in text for text in found.texts)
    assert found.labels.tolist() == [int(text[-2]) % 2 for text in found.texts]
    assert found.ratings is not None
    assert found.ratings.tolist() == [1 + int(text[-2]) for text in found.texts]


@pytest.mark.usefixtures("forty")
def test_the_draw_is_the_same_whatever_the_training_part_and_the_order_of_movies() -> None:
    test = reviews("test", 30)
    first = chosen(pd.concat([reviews("train", 30), test]))
    second = chosen(pd.concat([test, reviews("train", 25)]))
    assert first.texts == second.texts


@pytest.mark.usefixtures("forty")
def test_the_others_are_of_other_movies_of_the_official_test_part() -> None:
    table = pd.concat([reviews("train", 30), reviews("test", 30)])
    known = DatasetSplits.from_reviews(table, Path("reviews.csv"), RECIPE, None)
    gating, others = GateSet.choose(known), GateSet.others(known)
    assert len(gating.texts) + len(others.texts) == 120
    assert all("in test" in text for text in others.texts)
    movies = [{text.partition(" in ")[0] for text in part.texts} for part in (gating, others)]
    assert not movies[0] & movies[1]
    assert others.labels.tolist() == [int(text[-2]) % 2 for text in others.texts]


@pytest.mark.parametrize("parts", [1, 2])
def test_of_a_small_test_part_or_none_there_are_no_others(parts: int) -> None:
    table = pd.concat([reviews("train", 30), reviews("test", 3)][:parts])
    assert GateSet.others(DatasetSplits.from_reviews(table, Path("reviews.csv"), RECIPE, None)).texts == []


def test_a_small_test_part_is_taken_whole() -> None:
    assert len(chosen(pd.concat([reviews("train", 30), reviews("test", 3)])).texts) == 12


def test_reviews_without_parts_are_those_that_never_train() -> None:
    table = reviews("train", 60).drop(columns="split")
    known = DatasetSplits.from_reviews(table, Path("reviews.csv"), RECIPE, None)
    found = GateSet.choose(known)
    assert found.texts == known.split.dev["text"].tolist()
    assert not set(found.texts) & set(known.split.train["text"])


def model(folder: Path, manifest: str, asked: list[str]) -> Any:
    """A published model that counts letters, and notes what it is asked."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")

    def logits(texts: Sequence[str]) -> tuple[np.ndarray, None]:
        asked.extend(texts)
        return np.array([[len(text), 0] for text in texts], np.float32), None

    return SimpleNamespace(engine=SimpleNamespace(logits=logits), folder=folder)


def test_the_live_model_is_asked_once_a_version_and_once_a_set(tmp_path: Path) -> None:
    asked: list[str] = []
    mine = GateSet(["One.", "Another."], np.array([0, 1], np.int8), None)
    first, second = (model(tmp_path / name, name, asked) for name in ("first", "second"))
    kept = tmp_path / "gate"

    def remembered(champion: Any, texts: GateSet) -> list[float]:
        return texts.champion_logits(champion, kept, lambda _: None)[:, 0].tolist()

    assert remembered(first, mine) == remembered(first, mine) == [4, 8]
    assert asked == mine.texts
    remembered(second, mine)
    assert asked == mine.texts * 2
    turned = GateSet(mine.texts[::-1], mine.labels[::-1], None)
    assert remembered(first, turned) == [8, 4]
    assert len(asked) == 6
    assert len(list(kept.iterdir())) == 3


@pytest.mark.parametrize("broken", [b"", b"half a file", None])
def test_answers_that_cannot_be_read_are_asked_for_again(
    broken: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from safetensors.numpy import save_file

    asked: list[str] = []
    mine = GateSet(["One.", "Another."], np.array([0, 1], np.int8), None)
    champion = model(tmp_path / "model", "manifest", asked)
    expected = mine.champion_logits(champion, tmp_path / "gate", lambda _: None)
    (kept,) = (tmp_path / "gate").iterdir()
    if broken is None:
        save_file({"logits": np.full((2, 2), np.nan, np.float32)}, kept)
    else:
        kept.write_bytes(broken)
    assert mine.champion_logits(champion, tmp_path / "gate", lambda _: None).tolist() == expected.tolist()
    assert "it is asked again" in caplog.text
    assert len(asked) == 4
    mine.champion_logits(champion, tmp_path / "gate", lambda _: None)
    assert len(asked) == 4


def test_where_nothing_can_be_kept_the_answers_still_come(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str] = []
    (tmp_path / "gate").write_text("a file where the folder should be", encoding="utf-8")
    mine = GateSet(["One."], np.array([0], np.int8), None)
    assert mine.champion_logits(model(tmp_path / "model", "m", asked), tmp_path / "gate", lambda _: None).tolist() == [
        [4, 0]
    ]
    assert "cannot be kept" in caplog.text
