"""Splitting reviews: official splits are used as named, and dev has no texts in common with train."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.data.splits import exclude_texts, hold_out, official_split, official_train, split_rows
from ml.errors import MissingSplit


def test_the_official_split_is_used_if_splits_are_named() -> None:
    reviews = pd.DataFrame({"text": ["a", "b", "c"], "label": [1, 0, 1], "split": ["train", "test", "train"]})
    assert official_split(reviews, "train")["text"].tolist() == ["a", "c"]
    assert official_split(reviews, "train").index.tolist() == [0, 1]
    assert official_split(reviews, "test")["text"].tolist() == ["b"]
    unnamed = reviews.drop(columns="split")
    assert official_split(unnamed, "test") is unnamed


def test_a_missing_split_is_reported_with_the_available_ones() -> None:
    reviews = pd.DataFrame({"text": ["a", "b"], "label": [1, 0], "split": ["train", "test"]})
    with pytest.raises(MissingSplit) as caught:
        official_split(reviews, "dev")
    assert str(caught.value) == "The reviews have no dev split; their splits are test, train."
    assert caught.value.exit_code == 2


def test_texts_of_another_table_are_excluded() -> None:
    reviews = pd.DataFrame({"text": ["A fine film.", "Dull.", "a FINE film"], "label": [1, 0, 1]})
    assert exclude_texts(reviews, pd.DataFrame({"text": ["A fine film!"]}))["text"].tolist() == ["Dull."]
    assert exclude_texts(reviews, reviews.head(0)).equals(reviews)


def reviews_of(texts: list[int], movies: list[str | None] | None) -> pd.DataFrame:
    found = pd.DataFrame({"text": [f"Review {number}." for number in texts], "label": [n % 2 for n in texts]})
    return found if movies is None else found.assign(movie=movies)


@given(
    rows=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["m1", "m2", "m3", "m4", None])), min_size=1),
    with_movies=st.booleans(),
    share=st.floats(0.05, 0.6),
    seed=st.integers(0, 9),
)
def test_train_and_dev_share_no_text_and_no_movie(
    rows: list[tuple[int, str | None]], with_movies: bool, share: float, seed: int
) -> None:
    reviews = reviews_of([text for text, _ in rows], [movie for _, movie in rows] if with_movies else None)
    split = hold_out(reviews, share, seed)
    assert not set(split.train["text"]) & set(split.dev["text"])
    if with_movies:
        assert not set(split.train["movie"].dropna()) & set(split.dev["movie"].dropna())
    assert len(split.dev) <= share * len(reviews)
    assert len(split.train) + len(split.dev) + split.dropped_from_train == len(reviews)


def test_a_share_is_held_out_by_seed() -> None:
    reviews = reviews_of(list(range(400)), [f"m{number // 4}" for number in range(400)])
    first, again, other = hold_out(reviews, 0.1, 1), hold_out(reviews, 0.1, 1), hold_out(reviews, 0.1, 2)
    assert (len(first.dev), len(first.train), first.dropped_from_train) == (40, 360, 0)
    assert first.dev.equals(again.dev)
    assert first.train.equals(again.train)
    assert set(first.dev["movie"]) != set(other.dev["movie"])


def test_dev_does_not_depend_on_the_order_of_the_rows() -> None:
    reviews = reviews_of(list(range(100)), None)
    dev_texts = set(hold_out(reviews, 0.2, 3).dev["text"])
    assert set(hold_out(reviews.iloc[::-1], 0.2, 3).dev["text"]) == dev_texts


def test_an_empty_movie_does_not_group_reviews() -> None:
    reviews = reviews_of(list(range(200)), [f"m{number}" if number < 10 else "" for number in range(200)])
    assert len(hold_out(reviews, 0.1, 1).dev) == 20


def test_a_text_under_two_movies_is_dropped_from_train_and_counted() -> None:
    reviews = pd.DataFrame({"text": ["Same words."] * 2, "label": [1, 1], "movie": ["m1", "m2"]})
    split = hold_out(reviews, 0.5, 0)
    assert (len(split.train), len(split.dev), split.dropped_from_train) == (0, 1, 1)


def test_the_official_validation_split_is_dev() -> None:
    reviews = reviews_of([0, 1, 2, 3, 1, 4], None)
    reviews["split"] = ["train", "train", "test", "validation", "validation", "train"]
    train_and_validation = official_train(reviews)
    assert sorted(train_and_validation["text"]) == sorted(reviews["text"][reviews["split"] != "test"])
    split = hold_out(train_and_validation, 0.1, 0)
    assert split.dev["text"].tolist() == ["Review 3.", "Review 1."]
    assert split.train["text"].tolist() == ["Review 0.", "Review 4."]
    assert split.dropped_from_train == 1


def test_without_a_validation_split_the_train_split_is_used() -> None:
    reviews = reviews_of([0, 1], None).assign(split=["train", "test"])
    assert official_train(reviews)["text"].tolist() == ["Review 0."]
    assert official_train(reviews.drop(columns="split"))["text"].tolist() == ["Review 0.", "Review 1."]


@given(count=st.integers(1, 40), share=st.floats(0.05, 0.95), seed=st.integers(0, 9))
def test_a_split_by_rows_loses_no_row(count: int, share: float, seed: int) -> None:
    reviews = reviews_of([number // 2 for number in range(count)], None).assign(row=range(count))
    split = split_rows(reviews, share, seed)
    assert sorted([*split.train["row"], *split.dev["row"]]) == list(range(count))
    assert len(split.dev) == round(share * count)
    shared = set(split.train["text"])
    assert split.dev_texts_in_train() == sum(text in shared for text in split.dev["text"])
