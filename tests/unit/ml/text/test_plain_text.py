"""Classification of a message's content: words, links, emoji or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.text.plain_text import Content, classify_content, plain_words, strip_links

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    "text",
    [
        "A fine film.",
        "meh",
        "10/10",
        "7",
        "👍👍 good",
        "I.G.Y.",
        "смешно",
        "最高",
        "बढ़िया",
        "#loveit",
        "see https://example.org, it is good",
        "@somebody you were right",
        "good.Bad.ugly",
        "great acting.8/10",
        "I paid $5 @ the door",
    ],
)
def test_words(text: str) -> None:
    assert classify_content(text) is Content.WORDS


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/title/tt0000001/?ref=x#top",
        "HTTP://EXAMPLE.ORG",
        "www.example.org",
        "example.com",
        "example.co.uk/film/12",
        "t.me/somebody",
        "tg://resolve?domain=somebody",
        "@somebody",
        "someone@example.org",
        "  https://example.org  \n https://example.com !",
        "(https://example.org) 👍",
        "<b>https://example.org</b>",
    ],
)
def test_only_a_link(text: str) -> None:
    assert classify_content(text) is Content.LINK


@pytest.mark.parametrize(
    "text",
    ["😀", "👍🏽 👍🏿", "❤️", "🇬🇷", "1️⃣#️⃣", "★★★★★", "😂!!! 😂...", FAMILY, SCOTLAND, "\U0001fae8", "<i>😀</i>"],
)
def test_only_emoji(text: str) -> None:
    assert classify_content(text) is Content.EMOJI


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "\u200b\u200d\ufeff",
        "\u3164\u2800",
        "...",
        "?!",
        "—",
        "<br /><br />",
        "&nbsp;&#8203;",
        "\u0301",
        "\ufe0f",
        ":-)",
    ],
)
def test_empty(text: str) -> None:
    assert classify_content(text) is Content.EMPTY


def test_words_are_in_order_without_links_tags_and_digits() -> None:
    text = "Don't <b>miss</b> l\u2019été, part-time @somebody #fun 3D 👍 https://example.org &amp; - go!"
    assert plain_words(text) == ["Don't", "miss", "l\u2019été", "part-time", "fun", "D", "go"]


def test_combining_accents_stay_in_their_word() -> None:
    assert plain_words("cafe\u0301 हिंदी") == ["caf\u00e9", "हिंदी"]


@given(st.text(st.characters()))
def test_no_text_raises(text: str) -> None:
    content = classify_content(text)
    if plain_words(text):
        assert content is Content.WORDS
    if content is Content.EMPTY:
        assert not any(character.isalnum() for character in strip_links(text))


@given(st.text(st.characters(), max_size=50), st.sampled_from(["good", "плохо", "5"]))
def test_a_text_with_a_word_is_words(text: str, word: str) -> None:
    assert classify_content(f"{word} \n {text}") is Content.WORDS


@given(st.lists(st.sampled_from([" ", "\n", "\u200b", "\u3164", ".", "!", "…", "-", "\ufe0f"])))
def test_blanks_and_punctuation_are_empty(pieces: list[str]) -> None:
    assert classify_content("".join(pieces)) is Content.EMPTY
