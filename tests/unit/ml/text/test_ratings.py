"""A text that is only a rating is recognised as such. Other texts with numbers or stars are left to the model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.text.ratings import Rating, only_rating


@pytest.mark.parametrize(
    ("text", "written", "label"),
    [
        ("8/10", "8/10", "Positive"),
        ("10 out of ten", "10 out of ten", "Positive"),
        ("EIGHT OUT OF TEN", "EIGHT OUT OF TEN", "Positive"),
        ("7.5/10", "7.5/10", "Positive"),
        ("7,5/10", "7,5/10", "Positive"),
        ("8 / 10", "8 / 10", "Positive"),
        ("11/10!", "11/10", "Positive"),
        ("85/100", "85/100", "Positive"),
        ("4 stars", "4 stars", "Positive"),
        ("4/5 stars", "4/5 stars", "Positive"),
        ("4 stars out of 5", "4 stars out of 5", "Positive"),
        ("five-star", "five-star", "Positive"),
        ("3 and a half stars", "3 and a half stars", "Positive"),
        ("3½ stars", "3 1/2 stars", "Positive"),
        ("9 stars", "9 stars", "Positive"),
        ("★★★★☆", "★★★★☆", "Positive"),
        ("⭐️⭐️⭐️⭐️⭐️", "⭐️⭐️⭐️⭐️⭐️", "Positive"),
        ("Rating: ★★★★☆", "★★★★☆", "Positive"),
        ("１０/１０", "10/10", "Positive"),
        ("Solid 8/10.", "8/10", "Positive"),
        ("8/10 👍", "8/10", "Positive"),
        ("two stars", "two stars", "Negative"),
        ("one star", "one star", "Negative"),
        ("half a star", "half a star", "Negative"),
        ("zero stars!!!", "zero stars", "Negative"),
        ("no stars", "no stars", "Negative"),
        ("-5 stars", "-5 stars", "Negative"),
        ("I'd give it 0 stars if I could", "0 stars", "Negative"),
        ("I’d give it 0 stars if I could", "0 stars", "Negative"),
        ("My rating: 2/10", "2/10", "Negative"),
        ("4.5/10", "4.5/10", "Negative"),
        ("★★☆☆☆", "★★☆☆☆", "Negative"),
        ("⭐⭐", "⭐⭐", "Negative"),
        ("5/10", "5/10", None),
        ("6 out of 10", "6 out of 10", None),
        ("3 stars", "3 stars", None),
        ("2.5/5", "2.5/5", None),
        ("★★★☆☆", "★★★☆☆", None),
        ("this movie is a 6 out of 10", "6 out of 10", None),
    ],
)
def test_a_rating_is_read_as_what_it_is(text: str, written: str, label: str | None) -> None:
    assert only_rating(text) == Rating(written, label)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "ten",
        "stars",
        "12 stars",
        "9/11",
        "24/7",
        "1/2",
        "10/10/2020",
        "v8/10.2",
        "2 out of 3",
        "not 10/10",
        "nowhere near 5 stars",
        "see you on 5/10",
        "I saw 5 stars",
        "5 star hotel was dirty",
        "8/10 acting, 3/10 plot",
        "8/10 or 9/10",
        "10/10 would watch again",
        "The stars were bright",
        "Loved the first half, 6/10 for the second because it drags",
        "★ new in the shop ★",
        "✨✨✨",
    ],
)
def test_other_texts_are_not_ratings(text: str) -> None:
    assert only_rating(text) is None


@given(st.text(st.sampled_from("0123456789/.,-½ ★☆⭐\ufe0fstarouefnhl"), max_size=60))
def test_no_text_raises(text: str) -> None:
    rating = only_rating(text)
    assert rating is None or rating.label in {"Positive", "Negative", None}
