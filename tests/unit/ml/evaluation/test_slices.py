"""Accuracy by length and by rating, and reviews with doubtful labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.data.doubtful_labels import doubtful_rows
from ml.errors import MissingColumn, NoDoubtfulLabels, UnreadableTable
from ml.evaluation.slices import by_length, by_rating

VOTES = "file,given_label,votes_given\ntest/neg/7_1,negative,2\ntest/pos/7_9,positive,3\ntest/pos/8_9,positive,0\n"


def test_slices_by_length_count_words_and_skip_empty_slices() -> None:
    texts = ["", "fine " * 50, "fine " * 51, "fine " * 900, "fine.<br /><br />Fine. " * 50]
    found = by_length(texts, np.array([True, False, True, False, True]))
    assert [(part.name, part.reviews, part.accuracy) for part in found] == [
        ("up to 50", 2, 0.5),
        ("51-100", 2, 1.0),
        ("over 800", 1, 0.0),
    ]
    low, high = found[0].interval
    assert 0 < low < 0.5 < high < 1


def test_slices_by_rating_are_in_numeric_order_and_skip_texts_without_one() -> None:
    found = by_rating(np.array([10, 2, np.nan, 2, 7.5]), np.array([True, True, False, False, True]))
    assert [(part.name, part.reviews, part.accuracy) for part in found] == [
        ("2", 2, 0.5),
        ("7.5", 1, 1.0),
        ("10", 1, 1),
    ]


def test_without_ratings_there_are_no_slices() -> None:
    assert by_rating(None, np.array([True])) == ()
    assert by_rating(np.array([np.nan]), np.array([True])) == ()


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    path = tmp_path / "votes.csv"
    path.write_text(VOTES, encoding="utf-8")
    return path


def official(split: str = "test") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": ["a", "b", "c", "d"],
            "label": [0, 1, 1, 0],
            "split": split,
            "id": [7, 7, 8, 8],
            "rating": [1, 9, 9, 1],
        }
    )


def test_a_label_is_doubtful_when_fewer_than_three_of_five_gave_it(votes: Path) -> None:
    assert doubtful_rows(votes, official(), Path("imdb.parquet")).tolist() == [True, False, True, False]


def test_ids_and_ratings_may_be_strings(votes: Path) -> None:
    as_text = official().assign(id=["7", "7", "8", "8"], rating=["1", "9", "9", "1"])
    assert doubtful_rows(votes, as_text, Path("imdb.csv")).tolist() == [True, False, True, False]


def test_a_list_for_other_reviews_is_refused(votes: Path) -> None:
    with pytest.raises(NoDoubtfulLabels) as caught:
        doubtful_rows(votes, official("train"), Path("imdb.parquet"))
    assert "train/neg/7_1 in imdb.parquet" in str(caught.value)


def test_reviews_without_ids_are_refused(votes: Path) -> None:
    with pytest.raises(MissingColumn, match=r"no column named id; its columns are text, label, split, rating"):
        doubtful_rows(votes, official().drop(columns="id"), Path("mine.csv"))


def test_a_list_without_votes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("file,votes\ntest/neg/7_1,2\n", encoding="utf-8")
    with pytest.raises(MissingColumn, match="no column named votes_given"):
        doubtful_rows(path, official(), Path("imdb.parquet"))
    path.write_text("file,votes_given\ntest/neg/7_1,few\n", encoding="utf-8")
    with pytest.raises(UnreadableTable, match="cannot be read as a list of doubtful labels"):
        doubtful_rows(path, official(), Path("imdb.parquet"))
