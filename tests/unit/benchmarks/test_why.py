"""The benchmark of /why: which texts it draws, and which words it removes from them."""

import numpy as np
import pytest
from weighted_engine import weighted_classifier

from benchmarks.why.draw import MINIMUM_WORDS, draw_texts, has_enough_words
from benchmarks.why.duration import measure_duration
from benchmarks.why.removals import compare_removals

TEXT = "The slow, slow evening was boring and wasted, but the lead was charming."


def test_only_texts_with_enough_different_words_are_drawn() -> None:
    long = " ".join(f"x{number}" for number in range(MINIMUM_WORDS))
    sets = {name: ["so " * 20, *(f"{long} {name}{number}" for number in range(5))] for name in ("one", "two")}
    drawn = draw_texts(sets, 8)
    assert {name: len(texts) for name, texts in drawn.items()} == {"one": 4, "two": 4}
    assert all(has_enough_words(text) for texts in drawn.values() for text in texts)
    assert draw_texts(sets, 8) == drawn
    with pytest.raises(ValueError, match="one has only 5 texts with 6 words, not 6"):
        draw_texts(sets, 12)


def test_the_named_words_and_as_many_random_words_are_removed() -> None:
    classifier, engine = weighted_classifier()
    found = compare_removals(classifier, TEXT, np.random.default_rng(1))
    assert (found.words, found.windows) == (3, 1)
    assert found.named == pytest.approx(2 * 2 + 3 + 1)
    assert found.moved_more
    before, named, random = engine.calls[-1]
    assert before == TEXT
    assert named == "The ,  evening was  and , but the lead was charming."
    assert len(random.split()) < len(TEXT.split())


def test_an_explanation_without_words_moves_nothing() -> None:
    classifier, _ = weighted_classifier({})
    found = compare_removals(classifier, TEXT, np.random.default_rng(1))
    assert (found.words, found.named, found.random) == (0, 0.0, 0.0)
    assert not found.moved_more


def test_the_time_is_measured_on_the_first_hundred_words(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, engine = weighted_classifier()
    monkeypatch.setattr(engine, "graph", Threads(), raising=False)
    found = measure_duration(classifier, ["Short.", "so good " * 80])
    assert (found.words, found.runs, found.threads) == (100, 1, 2)
    assert 0 < found.median <= found.p95
    assert engine.calls[0][0] == " ".join(["so good"] * 50)
    with pytest.raises(ValueError, match="no text has 100 words"):
        measure_duration(classifier, ["Short."])


class Threads:
    """A compiled graph that runs on two threads."""

    def get_property(self, name: str) -> int:
        assert name == "INFERENCE_NUM_THREADS"
        return 2
