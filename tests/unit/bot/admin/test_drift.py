"""Which differences count as drift, and what admins read about it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.admin.drift import LEAST_TEXTS, WEEK, Drift, Moved, moved_between, sentence
from bot.texts import texts_for
from core.input_profile import InputProfile

TEXTS = texts_for("en")
TRAINING = InputProfile(texts=2_500, positive=0.5, confidence=0.9, words=230.0, unknown=0.08)
SUNDAY = datetime(2026, 3, 1, tzinfo=UTC)


def drift(*weeks: InputProfile | None, reference: InputProfile | None = TRAINING, trained: bool = True) -> Drift:
    ends = tuple(SUNDAY + number * WEEK for number in range(len(weeks)))
    return Drift(ends, weeks, reference, trained, "v-1")


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({}, set()),
        ({"positive": 0.64}, set()),
        ({"positive": 0.66}, {Moved.POSITIVE}),
        ({"positive": 0.34}, {Moved.POSITIVE}),
        ({"confidence": 0.84}, {Moved.CONFIDENCE}),
        ({"confidence": 0.94}, set()),
        ({"words": 150.0}, {Moved.WORDS}),
        ({"words": 340.0}, set()),
        ({"words": 0.0}, {Moved.WORDS}),
        ({"unknown": 0.14}, {Moved.UNKNOWN}),
        ({"positive": 0.9, "unknown": 0.0}, {Moved.POSITIVE, Moved.UNKNOWN}),
    ],
)
def test_a_figure_moves_if_it_is_beyond_its_bound(changes: dict[str, float], moved: set[Moved]) -> None:
    assert moved_between(TRAINING, replace(TRAINING, **changes)) == moved


def test_the_sentence_names_each_moved_figure_with_both_values() -> None:
    week = replace(TRAINING, texts=412, positive=0.71, words=14.4)
    assert sentence(TEXTS, drift(week)) == (
        "The 412 texts of the last seven days differ from the training data: 71% of them were called positive, "
        "instead of 50%; they had 14 words on average, instead of 230."
    )


def test_the_sentence_says_that_nothing_moved_and_what_the_texts_are_compared_with() -> None:
    said = sentence(TEXTS, drift(TRAINING, trained=False))
    assert said.startswith("The 2500 texts of the last seven days are much like the first four weeks (the model v-1")


@pytest.mark.parametrize("week", [None, replace(TRAINING, texts=LEAST_TEXTS - 1, positive=0.9)])
def test_too_few_texts_are_not_compared(week: InputProfile | None) -> None:
    assert "too few to compare" in sentence(TEXTS, drift(week))
    assert drift(week).moved() == set()


def test_without_a_reference_the_sentence_says_why() -> None:
    assert "the first four weeks aren't over" in sentence(TEXTS, drift(TRAINING, reference=None))
    assert drift(TRAINING, reference=None).moved() == set()


def test_an_earlier_week_is_compared_on_its_own() -> None:
    moved = replace(TRAINING, positive=0.9)
    assert drift(moved, TRAINING).moved() == set()
    assert drift(moved, TRAINING).moved(1) == {Moved.POSITIVE}
