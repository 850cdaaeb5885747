"""Long texts are split the way Telegram's apps split them, and no text is lost."""

from hypothesis import given
from hypothesis import strategies as st

from playground.text.entities import utf16_length
from playground.text.message_splitting import MESSAGE_LIMIT, split_like_apps


def test_a_short_text_is_not_split() -> None:
    assert split_like_apps("  It was fine.\n") == ["It was fine."]
    assert split_like_apps("a" * MESSAGE_LIMIT) == ["a" * MESSAGE_LIMIT]


def test_white_space_gives_no_message() -> None:
    assert split_like_apps(" \n\t ") == []


def test_the_best_boundary_of_the_second_half_wins() -> None:
    assert split_like_apps("one two three\n\nfour. five\nsix", 20) == ["one two three", "four. five\nsix"]
    assert split_like_apps("one two three. four\nfive. six", 22) == ["one two three. four", "five. six"]
    assert split_like_apps("aaaa bbbb cccc\n\ndd. ee\nff gg hh", 24) == ["aaaa bbbb cccc", "dd. ee\nff gg hh"]
    assert split_like_apps("It was good. It was long too", 20) == ["It was good.", "It was long too"]
    assert split_like_apps("It was 'good.' It was long too", 20) == ["It was 'good.'", "It was long too"]
    assert split_like_apps("one two three four five", 12) == ["one two", "three four", "five"]


def test_a_boundary_in_the_first_half_is_too_early() -> None:
    assert split_like_apps("a b" + "c" * 20, 12) == ["a b" + "c" * 9, "c" * 11]


def test_characters_of_two_code_units_are_not_split() -> None:
    parts = split_like_apps("👍" * 5000)
    assert [utf16_length(part) for part in parts] == [4096, 4096, 1808]
    assert "".join(parts) == "👍" * 5000


@given(st.text(alphabet="ab .\n👍é", max_size=300), st.integers(2, 40))
def test_parts_fit_and_lose_only_white_space(text: str, limit: int) -> None:
    parts = split_like_apps(text, limit)
    assert all(part and part == part.strip() and utf16_length(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
