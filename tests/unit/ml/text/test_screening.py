"""Every kind of text that should not get a verdict from the model is recognised. Reviews are left to the model."""

import pytest

from ml.text.ratings import Rating
from ml.text.screening import Refusal, Refused, screen


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", Refusal.EMPTY),
        (" \n\t ", Refusal.EMPTY),
        ("?!...", Refusal.EMPTY),
        ("🍿🍿", Refusal.EMOJI),
        ("https://example.org/review", Refusal.LINK),
        ("@somebody", Refusal.LINK),
        ("I just want to die.", Refusal.HELP),
    ],
)
def test_texts_without_a_verdict(text: str, refusal: Refusal) -> None:
    assert screen(text) == Refused(refusal)


def test_a_foreign_text_has_its_language() -> None:
    assert screen("Wir haben uns köstlich amüsiert und gehen nächste Woche wieder hin.") == Refused(
        Refusal.FOREIGN, "German"
    )
    assert screen("Да") == Refused(Refusal.FOREIGN, "a language in Cyrillic letters")


def test_stars_are_a_rating_and_not_only_emoji() -> None:
    assert screen("⭐⭐") == Rating("⭐⭐", "Negative")


@pytest.mark.parametrize(
    "text", ["A joy to watch.", "meh", "10/10 would watch again", "This film made me want to die."]
)
def test_reviews_are_for_the_model(text: str) -> None:
    assert screen(text) is None
