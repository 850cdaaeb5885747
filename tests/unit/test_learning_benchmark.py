"""The learning loop's texts are apart, and its people are mistaken as often as they are meant to be."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.learning import texts as cutting
from benchmarks.learning.people import Truth, Votes
from benchmarks.learning.texts import Texts
from benchmarks.parts import shared_texts
from ml.recipe import Recipe
from ml.training_data import TrainingData
from worker import gate_set


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "_TEST", 20)
    monkeypatch.setattr(cutting, "_POOL", 60)
    monkeypatch.setattr(cutting, "_IMDB", 12)
    monkeypatch.setattr(gate_set, "REVIEWS", 40)


def known() -> TrainingData:
    """Reviews of sixty movies, thirty of each official part; some words stand under two test movies."""
    rows = [
        (f"Review {number} of film {film} in {part}.", number % 2, part, f"{part}-{film}")
        for part in ("train", "test")
        for film in range(30)
        for number in range(4)
    ]
    rows += [
        (f"The same words about film {film}.", 1, "test", f"test-{film + add}") for film in range(8) for add in (0, 15)
    ]
    table = pd.DataFrame(rows, columns=["text", "label", "split", "movie"])
    return TrainingData.choose(table, Path("reviews.csv"), Recipe.named("default"), None)


def sentences(count: int) -> pd.DataFrame:
    """Sentences, and each once more in capitals, which makes it no other."""
    once = [(f"Sentence {number}.", number % 2) for number in range(count)]
    return pd.DataFrame([*once, *((text.upper(), label) for text, label in once)], columns=["text", "label"])


@pytest.mark.usefixtures("small")
def test_no_text_and_no_movie_is_in_two_parts() -> None:
    reviews = known()
    found = Texts.cut(sentences(60), reviews, [5, 10])
    assert [len(table) for table in found.rounds] == [5, 10]
    assert len(found.held_out) == 20
    tables = [*found.named().values(), reviews.split.train, reviews.split.dev]
    assert shared_texts(tables) == 0
    assert 8 <= len(found.imdb) <= 12
    test = reviews.test
    movies = set(test[test["text"].isin(found.gate["text"])]["movie"])
    assert movies.isdisjoint(found.imdb["movie"])


@pytest.mark.usefixtures("small")
def test_too_few_sentences_are_refused() -> None:
    with pytest.raises(ValueError, match="and 60 were asked for"):
        Texts.cut(sentences(60), known(), [20, 40])


def test_a_person_is_mistaken_about_a_share_of_the_sentences_and_always_the_same() -> None:
    table = pd.DataFrame({"text": [f"Sentence {number}." for number in range(2_000)], "label": 1})
    truth = Truth.of([table], mistaken=0.05)
    votes = [truth.vote_of(101, text) for text in table["text"]]
    assert votes == [truth.vote_of(101, text) for text in table["text"]]
    assert 70 <= votes.count("Negative") <= 130
    assert votes != [truth.vote_of(102, text) for text in table["text"]]


def test_votes_add_up() -> None:
    assert Votes(read=1, own=1, mistaken=1) + Votes(others=2, gold=1) == Votes(1, 0, 1, 2, 1, 0, 1)
