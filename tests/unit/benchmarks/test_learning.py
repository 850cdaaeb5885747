"""The learning loop's texts do not overlap, and its people make mistakes at the given rate."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.common.provenance import provenance
from benchmarks.common.text_sets import TextSet, shared_texts
from benchmarks.figures.learning import learning_loop
from benchmarks.learning import texts as loop_texts
from benchmarks.learning.background_load import BackgroundLoad
from benchmarks.learning.people import TrueLabels, VoteCounts
from benchmarks.learning.records import ConsensusCounts, RunFigures
from benchmarks.learning.report import LearningLoopReport, LearningRound
from benchmarks.learning.texts import LoopTexts
from ml.evaluation.comparison import Comparison
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe
from worker.gate import gate_set


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_texts, "_TEST", 20)
    monkeypatch.setattr(loop_texts, "_POOL", 60)
    monkeypatch.setattr(loop_texts, "_IMDB", 12)
    monkeypatch.setattr(gate_set, "REVIEWS", 40)


def known() -> DatasetSplits:
    """Reviews of sixty movies, thirty in each official split. Some texts are filed under two test movies."""
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
    return DatasetSplits.from_reviews(table, Path("reviews.csv"), Recipe.load("default"), None)


def sentences(count: int) -> pd.DataFrame:
    """Sentences, each followed by a copy in capitals, which counts as the same text."""
    once = [(f"Sentence {number}.", number % 2) for number in range(count)]
    return pd.DataFrame([*once, *((text.upper(), label) for text, label in once)], columns=["text", "label"])


@pytest.mark.usefixtures("small")
def test_no_text_and_no_movie_is_in_two_parts() -> None:
    reviews = known()
    found = LoopTexts.split(sentences(60), reviews, [5, 10])
    assert [len(table) for table in found.rounds] == [5, 10]
    assert len(found.held_out) == 20
    tables = [*found.by_name().values(), reviews.split.train, reviews.split.dev]
    assert shared_texts(tables) == 0
    assert 8 <= len(found.imdb) <= 12
    test = reviews.test
    movies = set(test[test["text"].isin(found.gate["text"])]["movie"])
    assert movies.isdisjoint(found.imdb["movie"])


@pytest.mark.usefixtures("small")
def test_too_few_sentences_are_refused() -> None:
    with pytest.raises(ValueError, match="need 60 sentences"):
        LoopTexts.split(sentences(60), known(), [20, 40])


def test_a_person_is_mistaken_about_a_share_of_the_sentences_and_always_about_the_same_ones() -> None:
    table = pd.DataFrame({"text": [f"Sentence {number}." for number in range(2_000)], "label": 1})
    true_labels = TrueLabels.from_tables([table], mistaken=0.05)
    votes = [true_labels.vote_of(101, text) for text in table["text"]]
    assert votes == [true_labels.vote_of(101, text) for text in table["text"]]
    assert 70 <= votes.count("Negative") <= 130
    assert votes != [true_labels.vote_of(102, text) for text in table["text"]]


def test_votes_add_up() -> None:
    assert VoteCounts(read=1, own=1, mistaken=1) + VoteCounts(others=2, gold=1) == VoteCounts(1, 0, 1, 2, 1, 0, 1)


def test_a_round_has_a_column_of_its_figures() -> None:
    run = RunFigures("one", "two", True, 150, 50, "promoted", "Promoted: it is better.", None, 200.0, 1_000.0)
    better = Comparison("one", "two", 2_000, 0.75, 0.8, 0.05, (0.04, 0.06), 20, 120, 0.001, 0.9)
    seen = BackgroundLoad(3, 600, 600, 0, 0, 0, {"one": 500, "two": 100}, {"50%": 0.1})
    votes = VoteCounts(read=298, refused=2, own=298, others=298, mistaken=30, called_wrong=70, gold=40)
    first = LearningRound(
        sentences=300,
        votes=votes,
        judged=ConsensusCounts(200, 0, 28, 1),
        quarantine="Texts to look at: 28.",
        seconds={"/retrain to card": 210.0},
        run=run,
        retrain_to_live=212.4,
        live_to_reply=1.5,
        meanwhile=seen,
        on_sentences=better,
        on_imdb=better,
    )
    rejected = replace(run, published=False, state="rejected", sentence="Rejected: it is worse.", live_at=None)
    second = replace(first, run=rejected, retrain_to_live=None, live_to_reply=None, on_sentences=None, on_imdb=None)
    parts = {"sentences held out": TextSet(2_000, "a"), "IMDB to test": TextSet(2_996, "b")}
    report = LearningLoopReport(provenance("numpy"), 22_713_986, 12, 0.05, parts, 0, [first, second])
    found = json.loads(json.dumps(asdict(report)))
    page = learning_loop(found)
    lines = page.splitlines()
    assert "| Sentences written | 300 | 300 |" in lines
    assert "| Wrong votes, of all votes | 30 of 596 | 30 of 596 |" in lines
    assert "| From `/retrain` to the first reply of the new model (s) | **212** | did not go live |" in lines
    assert "| Accuracy on sentences | 75.0% to 80.0% | not measured: the candidate was rejected |" in lines
    assert "| Change on sentences in points (95% interval) | +5.00 (+4.00 to +6.00) | - |" in lines
    assert "on 2,000 other sentences and on 2,996 official IMDB test reviews" in page
