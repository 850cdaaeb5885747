"""The part of a message that a reply quotes must be in the message, with the same formatting."""

import pytest

from playground.text.entities import Entity, FormattedText
from playground.text.parse_mode import quote_text
from playground.text.quotes import find_quote
from playground.wire import ApiError

MESSAGE = FormattedText("👍 a fine, fine film", (Entity("bold", 5, 4), Entity("url", 11, 4)))


def quote(text: str, *entities: Entity) -> FormattedText:
    return FormattedText(text, entities)


@pytest.mark.parametrize(
    ("part", "position"),
    [
        (quote("👍 a"), 0),
        (quote("film"), 16),
        (quote("fine", Entity("bold", 0, 4)), 5),
        (quote("fine film"), 11),
        (quote("a fine", Entity("bold", 2, 4)), 3),
        (quote("in", Entity("bold", 0, 2)), 6),
        (quote("film", Entity("code", 0, 4)), 16),
        (quote("fine", Entity("italic", 0, 4)), None),
        (quote("a fine"), None),
        (quote("Film"), None),
        (quote("a  fine"), None),
    ],
    ids=lambda value: value.text if isinstance(value, FormattedText) else str(value),
)
def test_a_quote_is_an_exact_part_with_the_same_formatting(part: FormattedText, position: int | None) -> None:
    assert find_quote(MESSAGE, part, 0) == position


@pytest.mark.parametrize(("near", "position"), [(0, 3), (9, 10), (99, 17)])
def test_a_quote_that_occurs_more_than_once_is_found_near_the_given_position(near: int, position: int) -> None:
    assert find_quote(FormattedText("👍 so bad so bad so"), quote("so"), near) == position


def test_a_quote_has_at_most_1024_characters_without_markup() -> None:
    assert quote_text(f" <b>{'x' * 1024}</b> ", "HTML", []).text == "x" * 1024
    with pytest.raises(ApiError, match="QUOTE_TEXT_INVALID"):
        quote_text("x" * 1025, "", [])
