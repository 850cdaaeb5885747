"""Contractions, scores and accents stay part of words, and links and markup contain no words."""

import pytest

from ml.explanation.words import distinct_words, find_words
from ml.text.plain_text import blank_links


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It isn't bad.", ["It", "isn't", "bad"]),
        ("It isn\u2019t well-made, 'sadly'", ["It", "isn\u2019t", "well-made", "sadly"]),
        ("10/10, or 4.5 of 5!", ["10/10", "or", "4.5", "of", "5"]),
        ("caf\u00e9 cafe\u0301", ["caf\u00e9", "cafe\u0301"]),
        ("👍😀 so_good", ["so", "good"]),
        ("Dull.<br /><br />See https://example.org/great or @great_films", ["Dull", "See", "or"]),
        ("?! ...", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [span.of(text) for span in find_words(text)] == words


def test_the_same_word_is_found_everywhere_in_any_case() -> None:
    text = "GREAT cast, great film. Isn't it? Isn\u2019t it?"
    words = distinct_words(text, find_words(text))
    assert [word.text for word in words] == ["GREAT", "cast", "film", "Isn't", "it"]
    assert [[span.of(text) for span in word.spans] for word in words if len(word.spans) > 1] == [
        ["GREAT", "great"],
        ["Isn't", "Isn\u2019t"],
        ["it", "it"],
    ]


def test_blanking_links_moves_nothing() -> None:
    text = "a <b>bold</b> www.example.com e\u0301 end"
    assert len(blank_links(text)) == len(text)
    assert blank_links(text).index("end") == text.index("end")
