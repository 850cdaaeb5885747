"""How percentages and long texts are formatted in messages."""

import pytest

from bot.formatting import excerpt, percent_of, truncate


@pytest.mark.parametrize(("confidence", "percent"), [(0.5, 50), (0.934, 93), (0.994, 99), (0.996, 99), (1.0, 99)])
def test_a_percentage_is_whole_and_never_100(confidence: float, percent: int) -> None:
    assert percent_of(confidence) == percent


@pytest.mark.parametrize("text", ["", "short", "ten chars."])
def test_a_text_that_fits_is_unchanged(text: str) -> None:
    assert truncate(text, 10) == text
    assert truncate(text, 10, 3) == text


def test_a_longer_text_ends_with_an_ellipsis() -> None:
    assert truncate("eleven chars", 11) == "eleven cha…"
    assert truncate("cut after a space", 5) == "cut…"


def test_a_longer_text_can_keep_its_end() -> None:
    text = truncate("The beginning. " + "And so on. " * 100 + "The end.", 40, 8)
    assert text == "The beginning. And so on. A\n[…]\nThe end."
    assert len(text) == 40


def test_a_long_review_fits_a_message_with_its_beginning_and_end() -> None:
    review = excerpt("First of all, I loved it. " + "It went on and on. " * 300 + "I still did.")
    assert review.startswith("First of all")
    assert review.endswith("I still did.")
    assert len(review) <= 1_900
