"""A reply quotes the exact words of a single message, and the quote is short enough for Telegram."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reviews.quotation import LENGTH, quote, utf16_length
from ml.explanation.words import Span
from storage.chat.messages import MessagePart, join_parts

TEXTS = st.text(alphabet=st.sampled_from("ab 👍\n"), min_size=1, max_size=60)


def in_message(part: str, message: str, position: int) -> bool:
    """Return whether a message contains ``part`` at this position (in UTF-16 code units)."""
    units = message.encode("utf-16-le")[2 * position :]
    return units.startswith(part.encode("utf-16-le"))


@given(st.lists(TEXTS, min_size=1, max_size=3), st.data())
def test_a_quote_is_an_exact_part_of_its_message(messages: list[str], data: st.DataObject) -> None:
    parts = [MessagePart(number, text) for number, text in enumerate(messages)]
    whole = join_parts(parts)
    start = data.draw(st.integers(0, len(whole) - 1))
    passage = Span(start, data.draw(st.integers(start + 1, len(whole))))
    found = quote(parts, passage, None)
    assert found.text == found.text.strip() == found.span.of(whole)
    assert in_message(found.text, messages[found.telegram_message_id], found.position)


def test_a_passage_over_two_messages_is_quoted_from_the_one_with_more_of_it() -> None:
    parts = [MessagePart(7, "It began well."), MessagePart(8, "👍 Then it was slow and boring. The end.")]
    found = quote(parts, Span(9, 46), None)
    assert (found.telegram_message_id, found.text, found.position) == (8, "👍 Then it was slow and boring.", 0)


@pytest.mark.parametrize("word", ["so", "👍👍"])
def test_a_long_passage_is_shortened_at_a_space(word: str) -> None:
    text = f"{word} " * 1_000
    found = quote([MessagePart(1, text)], Span(0, len(text)), None)
    assert LENGTH - 10 < utf16_length(found.text) <= LENGTH
    assert set(found.text.split()) == {word}


@pytest.mark.parametrize("filler", ["so ", "👍👍 ", "x"])
def test_a_shortened_quote_contains_the_strongest_word(filler: str) -> None:
    text = f"{filler * 1_000} boring {filler * 1_000}"
    focus = Span(text.index("boring"), text.index("boring") + 6)
    found = quote([MessagePart(1, text)], Span(0, len(text)), focus)
    assert utf16_length(found.text) <= LENGTH
    assert found.span.start <= focus.start
    assert found.span.end >= focus.end
    assert in_message(found.text, text, found.position)
