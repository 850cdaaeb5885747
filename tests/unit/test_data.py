"""Labelled reviews from files: both forms of IMDB are read, a bad file gets one sentence, a split shares no text."""

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import BadInput, EmptyTable, MissingColumn, MissingFile, MissingPart, UnknownLabel, UnreadableTable
from ml.data import digest, find_column, fingerprint, hold_out, official_split, read_reviews, without_texts_of


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_kaggles_csv(tmp_path: Path) -> None:
    path = write(
        tmp_path / "IMDB Dataset.csv",
        'review,sentiment\n"Long, but ""good"".<br /><br />See it.",positive\nNA,negative\n"",positive\n',
    )
    found = read_reviews(path)
    assert found.columns.tolist() == ["text", "label"]
    assert found["text"].tolist() == ['Long, but "good".<br /><br />See it.', "NA", ""]
    assert found["label"].tolist() == [1, 0, 1]
    assert found["label"].dtype == np.int8


def test_parquet_keeps_its_other_columns(tmp_path: Path) -> None:
    table = {"text": ["Fine.", "Poor."], "label": [1, 0], "split": ["train", "test"], "movie": ["m1", "m2"]}
    pd.DataFrame(table).to_parquet(tmp_path / "reviews.parquet")
    found = read_reviews(tmp_path / "reviews.parquet")
    assert found.to_dict("list") == table


def test_a_packed_csv_is_opened(tmp_path: Path) -> None:
    path = write(tmp_path / "reviews.csv.gz", gzip.compress(b"Review,Sentiment\nFine.,1\n"))
    assert read_reviews(path).to_dict("list") == {"text": ["Fine."], "label": [1]}


@pytest.mark.parametrize("word", ["positive", "Positive", "POS", " pos ", "1", "1.0", "True"])
def test_label_words_of_any_case(tmp_path: Path, word: str) -> None:
    path = write(tmp_path / "reviews.csv", f"text,label\nFine.,{word}\nPoor.,negative\n")
    assert read_reviews(path)["label"].tolist() == [1, 0]


@pytest.mark.parametrize("labels", [[1, 0], [1.0, 0.0], [True, False], ["Pos", "nEG"]])
def test_labels_of_any_type(tmp_path: Path, labels: list[object]) -> None:
    pd.DataFrame({"text": ["Fine.", "Poor."], "label": labels}).to_parquet(tmp_path / "reviews.parquet")
    assert read_reviews(tmp_path / "reviews.parquet")["label"].tolist() == [1, 0]


def test_a_missing_label_is_told_by_its_row(tmp_path: Path) -> None:
    for number, labels in enumerate(([1, None, 0], ["pos", None, "neg"], [True, None, None])):
        path = tmp_path / f"{number}.parquet"
        pd.DataFrame({"text": ["Fine.", "So so.", "Poor."], "label": labels}).to_parquet(path)
        with pytest.raises(UnknownLabel, match="data row 2: '' is not a sentiment"):
            read_reviews(path)


def test_every_form_of_packing_is_opened(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfreview,sentiment,\n"Fine, all of it.",1,\n'
    write(tmp_path / "a.csv.bz2", bz2.compress(content))
    write(tmp_path / "a.csv.xz", lzma.compress(content))
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("IMDB Dataset.csv", content)
    for name in ("a.csv.bz2", "a.csv.xz", "a.csv.zip"):
        found = read_reviews(tmp_path / name)
        assert found[["text", "label"]].to_dict("list") == {"text": ["Fine, all of it."], "label": [1]}


def test_a_column_of_the_very_name_goes_before_one_of_other_case() -> None:
    assert find_column(Path("a.csv"), ["Text", "text"], ["text"]) == "text"
    assert find_column(Path("a.csv"), [" Text ", "other"], ["text"]) == " Text "


def test_a_review_may_be_a_book(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "review,sentiment\n" + "long " * 60_000 + ",1\n")
    assert len(read_reviews(path)["text"][0]) == 300_000


def test_where_two_columns_could_be_meant_one_is_read_and_the_other_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "reviews.csv", "label,text,sentiment,review\n9,a title,positive,Fine.\n")
    assert read_reviews(path).to_dict("list") == {"text": ["Fine."], "label": [1]}


def test_a_missing_review_is_an_empty_one(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["Fine.", None], "label": [1, 0]}).to_parquet(tmp_path / "reviews.parquet")
    assert read_reviews(tmp_path / "reviews.parquet")["text"].tolist() == ["Fine.", ""]


@pytest.mark.parametrize(
    ("name", "content", "error", "told"),
    [
        pytest.param("a.csv", None, MissingFile, "a.csv", id="missing"),
        pytest.param("a.csv", "", EmptyTable, "no rows", id="empty"),
        pytest.param("a.csv", "review,sentiment\n", EmptyTable, "no rows", id="header only"),
        pytest.param(
            "a.csv",
            "review,stars\nFine.,5\n",
            MissingColumn,
            "no column sentiment or label; its columns are review, stars",
            id="no label column",
        ),
        pytest.param(
            "a.csv",
            "comment,label\nFine.,1\n",
            MissingColumn,
            "no column review or text; its columns are comment, label",
            id="no text column",
        ),
        pytest.param(
            "a.csv",
            "review,sentiment\nFine.,positive\nSo so.,mixed\n",
            UnknownLabel,
            "data row 2: 'mixed'",
            id="unknown label",
        ),
        pytest.param("a.csv", "review,sentiment\nFine.,\n", UnknownLabel, "data row 1: ''", id="blank label"),
        pytest.param(
            "a.csv",
            "review,sentiment\ngood, film,positive\n",
            UnreadableTable,
            "data row 1 has 3 fields and the header 2; a review with commas needs quotes",
            id="a comma in the first row",
        ),
        pytest.param("a.csv", "review,sentiment\n1,2,positive\n", UnreadableTable, "data row 1 has 3", id="numbers"),
        pytest.param(
            "a.csv", 'review,sentiment\n"a\nb",1\n\na,b,c,d\n', UnreadableTable, "data row 2 has 4", id="too long"
        ),
        pytest.param("a.csv", "sentiment,review\n1,Fine.\n0\n", UnreadableTable, "data row 2 has 1", id="too short"),
        pytest.param("a.csv", "review,label,review\na,1,b\n", UnreadableTable, "two columns named review", id="twice"),
        pytest.param("a.csv", 'review,label\n"so" so,1\n', UnreadableTable, "line 2: ", id="text after a quote"),
        pytest.param("a.csv", 'review,sentiment\n"no end,positive\n', UnreadableTable, "as CSV", id="open quote"),
        pytest.param("a.csv", b"review,sentiment\n\xff\xfe\xfa,positive\n", UnreadableTable, "as CSV", id="not UTF-8"),
        pytest.param("a.csv.gz", b"no gzip", UnreadableTable, "as CSV", id="not gzip"),
        pytest.param(
            "a.csv.gz", gzip.compress(b"review,sentiment\nFine.,1\n")[:-9], UnreadableTable, "as CSV", id="cut gzip"
        ),
        pytest.param("a.csv.xz", b"no xz", UnreadableTable, "as CSV", id="not xz"),
        pytest.param("a.csv.zip", b"no zip", UnreadableTable, "as CSV", id="not zip"),
        pytest.param("a.csv.tar", b"no tar", UnreadableTable, "as the aclImdb data", id="not tar"),
        pytest.param("a.parquet", b"no parquet", UnreadableTable, "as parquet", id="not parquet"),
    ],
)
def test_a_bad_file_gets_one_sentence(
    tmp_path: Path, name: str, content: str | bytes | None, error: type[BadInput], told: str
) -> None:
    path = tmp_path / name if content is None else write(tmp_path / name, content)
    with pytest.raises(error) as caught:
        read_reviews(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_zip_of_two_tables_is_no_table(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("one.csv", "review,sentiment\n")
        archive.writestr("two.csv", "review,sentiment\n")
    with pytest.raises(UnreadableTable):
        read_reviews(tmp_path / "a.csv.zip")


def test_the_official_part_is_taken_where_parts_are_named() -> None:
    reviews = pd.DataFrame({"text": ["a", "b", "c"], "label": [1, 0, 1], "split": ["train", "test", "train"]})
    assert official_split(reviews, "train")["text"].tolist() == ["a", "c"]
    assert official_split(reviews, "train").index.tolist() == [0, 1]
    assert official_split(reviews, "test")["text"].tolist() == ["b"]
    unnamed = reviews.drop(columns="split")
    assert official_split(unnamed, "test") is unnamed


def test_a_part_that_is_not_there_is_told_with_those_that_are() -> None:
    reviews = pd.DataFrame({"text": ["a", "b"], "label": [1, 0], "split": ["train", "test"]})
    with pytest.raises(MissingPart) as caught:
        official_split(reviews, "dev")
    assert str(caught.value) == "The reviews have no part dev; their parts are test, train."
    assert caught.value.exit_code == 2


def test_one_fingerprint_for_texts_that_differ_in_form_only() -> None:
    assert fingerprint("Good,  GOOD film!<br />See it") == fingerprint("good good film see it.")
    assert fingerprint("a good film") != fingerprint("a god film")


def test_a_digest_knows_texts_but_not_their_order() -> None:
    assert digest(["one", "two", "two"]) == digest(["two", "one", "Two!"])
    assert len({digest(texts) for texts in (["one", "two"], ["one", "two", "two"], ["one"], ["one two"], [])}) == 5


def test_texts_of_another_set_are_left_out() -> None:
    reviews = pd.DataFrame({"text": ["A fine film.", "Dull.", "a FINE film"], "label": [1, 0, 1]})
    assert without_texts_of(reviews, pd.DataFrame({"text": ["A fine film!"]}))["text"].tolist() == ["Dull."]
    assert without_texts_of(reviews, reviews.head(0)).equals(reviews)


def reviews_of(texts: list[int], movies: list[str | None] | None) -> pd.DataFrame:
    found = pd.DataFrame({"text": [f"Review {number}." for number in texts], "label": [n % 2 for n in texts]})
    return found if movies is None else found.assign(movie=movies)


@given(
    rows=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["m1", "m2", "m3", "m4", None])), min_size=1),
    with_movies=st.booleans(),
    share=st.floats(0.05, 0.6),
    seed=st.integers(0, 9),
)
def test_no_text_and_no_movie_stands_on_both_sides(
    rows: list[tuple[int, str | None]], with_movies: bool, share: float, seed: int
) -> None:
    reviews = reviews_of([text for text, _ in rows], [movie for _, movie in rows] if with_movies else None)
    split = hold_out(reviews, share, seed)
    assert not set(split.train["text"]) & set(split.dev["text"])
    if with_movies:
        assert not set(split.train["movie"].dropna()) & set(split.dev["movie"].dropna())
    assert len(split.dev) <= share * len(reviews)
    assert len(split.train) + len(split.dev) + split.dropped == len(reviews)


def test_a_share_is_held_out_by_seed() -> None:
    reviews = reviews_of(list(range(400)), [f"m{number // 4}" for number in range(400)])
    first, again, other = hold_out(reviews, 0.1, 1), hold_out(reviews, 0.1, 1), hold_out(reviews, 0.1, 2)
    assert (len(first.dev), len(first.train), first.dropped) == (40, 360, 0)
    assert first.dev.equals(again.dev)
    assert first.train.equals(again.train)
    assert set(first.dev["movie"]) != set(other.dev["movie"])


def test_the_order_of_the_rows_does_not_decide_what_is_held_out() -> None:
    reviews = reviews_of(list(range(100)), None)
    held = set(hold_out(reviews, 0.2, 3).dev["text"])
    assert set(hold_out(reviews.iloc[::-1], 0.2, 3).dev["text"]) == held


def test_a_text_under_two_movies_is_dropped_from_train_and_counted() -> None:
    reviews = pd.DataFrame({"text": ["Same words."] * 2, "label": [1, 1], "movie": ["m1", "m2"]})
    split = hold_out(reviews, 0.5, 0)
    assert (len(split.train), len(split.dev), split.dropped) == (0, 1, 1)
