"""Labelled reviews from files: every format is read, and a bad file is rejected with a one-sentence error."""

import bz2
import gzip
import lzma
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import BadInput, MissingFile
from ml.data.reviews import find_column, read_reviews
from ml.errors import EmptyTable, MissingColumn, NoHeader, NotTexts, UnknownLabel, UnreadableTable


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


@pytest.mark.parametrize("name", ["split", "Split", "SPLIT"])
def test_splits_are_recognised_by_any_of_their_names(tmp_path: Path, name: str) -> None:
    table = {"Review": ["One.", "Two.", "Three.", "Four."], "Sentiment": [1, 0, 1, 0]}
    pd.DataFrame({**table, name: ["Train", "TEST", "val", "mine"]}).to_csv(tmp_path / "reviews.csv", index=False)
    assert read_reviews(tmp_path / "reviews.csv")["split"].tolist() == ["train", "test", "validation", "mine"]


def test_a_tar_file_with_a_dangling_link_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "aclImdb_v1.tar.gz", "w:gz") as archive:
        review = tarfile.TarInfo("aclImdb/test/pos/1_10.txt")
        review.type, review.linkname = tarfile.SYMTYPE, "nowhere.txt"
        archive.addfile(review)
    with pytest.raises(UnreadableTable):
        read_reviews(tmp_path / "aclImdb_v1.tar.gz")


def test_a_compressed_csv_is_read(tmp_path: Path) -> None:
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


def test_a_missing_label_is_reported_with_its_row(tmp_path: Path) -> None:
    for number, labels in enumerate(([1, None, 0], ["pos", None, "neg"], [True, None, None])):
        path = tmp_path / f"{number}.parquet"
        pd.DataFrame({"text": ["Fine.", "So so.", "Poor."], "label": labels}).to_parquet(path)
        with pytest.raises(UnknownLabel, match="data row 2: '' is not a label"):
            read_reviews(path)


def test_every_compression_is_read(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfreview,sentiment,\n"Fine, all of it.",1,\n'
    write(tmp_path / "a.csv.bz2", bz2.compress(content))
    write(tmp_path / "a.csv.xz", lzma.compress(content))
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("IMDB Dataset.csv", content)
    for name in ("a.csv.bz2", "a.csv.xz", "a.csv.zip"):
        found = read_reviews(tmp_path / name)
        assert found[["text", "label"]].to_dict("list") == {"text": ["Fine, all of it."], "label": [1]}


def test_a_column_with_the_exact_name_takes_precedence() -> None:
    assert find_column(Path("a.csv"), ["Text", "text"], ["text"]) == "text"
    assert find_column(Path("a.csv"), [" Text ", "other"], ["text"]) == " Text "


def test_a_review_may_have_300_000_characters(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "review,sentiment\n" + "long " * 60_000 + ",1\n")
    assert len(read_reviews(path)["text"][0]) == 300_000


def test_of_two_possible_columns_one_is_read_and_the_other_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "reviews.csv", "label,text,sentiment,review\n9,a title,positive,Fine.\n")
    assert read_reviews(path).to_dict("list") == {"text": ["Fine."], "label": [1]}


def test_a_missing_review_is_an_empty_text(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["Fine.", None], "label": [1, 0]}).to_parquet(tmp_path / "reviews.parquet")
    assert read_reviews(tmp_path / "reviews.parquet")["text"].tolist() == ["Fine.", ""]


@pytest.mark.parametrize(
    ("name", "content", "error", "expected"),
    [
        pytest.param("a.csv", None, MissingFile, "a.csv", id="missing"),
        pytest.param("a.csv", "", EmptyTable, "no rows", id="empty"),
        pytest.param("a.csv", "review,sentiment\n", EmptyTable, "no rows", id="header only"),
        pytest.param(
            "a.csv",
            "review,stars\nFine.,5\n",
            MissingColumn,
            "no column named sentiment or label; its columns are review, stars",
            id="no label column",
        ),
        pytest.param(
            "a.csv",
            "comment,label\nFine.,1\n",
            MissingColumn,
            "no column named review or text; its columns are comment, label",
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
        pytest.param("a.csv.gz", b"no gzip", EmptyTable, "no rows", id="not gzip"),
        pytest.param(
            "a.csv.gz", gzip.compress(b"review,sentiment\nFine.,1\n")[:-9], UnreadableTable, "as CSV", id="cut gzip"
        ),
        pytest.param("a.csv.xz", b"no xz", EmptyTable, "no rows", id="not xz"),
        pytest.param("a.csv.zip", b"no zip", EmptyTable, "no rows", id="not zip"),
        pytest.param("a.parquet", b"PAR1 cut off", UnreadableTable, "as parquet", id="cut parquet"),
        pytest.param("a.csv.zip", b"PK\x03\x04 cut off", UnreadableTable, "as CSV", id="cut zip"),
        pytest.param("a.csv", "review,sentiment\n".encode("utf-16"), UnreadableTable, "in UTF-16", id="UTF-16"),
        pytest.param(
            "a.csv",
            b"review,sentiment\nFine.,1\nA caf\xe9.,1\n",
            UnreadableTable,
            "line 3 has the byte 0xe9, which is not UTF-8; it may be Windows-1252",
            id="Windows-1252",
        ),
        pytest.param("a.csv", b"<!DOCTYPE html>\n<p>", UnreadableTable, "it is a web page or XML", id="HTML"),
        pytest.param("a.csv", '[{"text": "a"}]', UnreadableTable, "it is a JSON array", id="JSON array"),
        pytest.param("a.csv", '{"text": "a"}\n{', UnreadableTable, "line 2 is not JSON", id="cut JSON"),
        pytest.param("a.jsonl", '{"a": 1}\n{"b": 1}\n', UnreadableTable, "the field b, which", id="other fields"),
        pytest.param("a.csv", b"\xd0\xcf\x11\xe0\xa1", UnreadableTable, "it is an Excel workbook", id="Excel"),
        pytest.param(
            "a.csv",
            '"4","1467810369","someone","what a lovely cafe evening"\n"0","1467810370","someone","worst ride"\n',
            NoHeader,
            "seems to have no header line: its first line is 4, 1467810369, someone, what a lovely",
            id="no header",
        ),
        pytest.param("a.csv", "so good,positive\nbad,negative\n", NoHeader, "no header line", id="label in header"),
        pytest.param(
            "a.csv",
            "review;sentiment\nA good; long film;positive\n",
            UnreadableTable,
            "data row 1 has 3 fields and the header 2; a review with semicolons needs quotes",
            id="a semicolon too many",
        ),
        pytest.param("a.csv.tar", b"no tar", UnreadableTable, "as the aclImdb data", id="not tar"),
        pytest.param("a.parquet", b"no parquet", EmptyTable, "no rows", id="not parquet"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: str | bytes | None, error: type[BadInput], expected: str
) -> None:
    path = tmp_path / name if content is None else write(tmp_path / name, content)
    with pytest.raises(error) as caught:
        read_reviews(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_zip_of_two_tables_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("one.csv", "review,sentiment\n")
        archive.writestr("two.csv", "review,sentiment\n")
    with pytest.raises(UnreadableTable):
        read_reviews(tmp_path / "a.csv.zip")


@pytest.mark.parametrize(
    "values", [[["A fine film."], ["A poor one."]], [1, 2], [b"fine", b"poor"], [{"a": "b"}, None]]
)
def test_a_text_column_has_to_contain_texts(tmp_path: Path, values: list[object]) -> None:
    pd.DataFrame({"text": values, "label": [1, 0]}).to_parquet(tmp_path / "reviews.parquet")
    with pytest.raises(NotTexts, match=r"reviews\.parquet, data row 1: the text column contains a value of type"):
        read_reviews(tmp_path / "reviews.parquet")


def test_a_missing_text_is_empty(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["Fine.", None], "label": [1, 0]}).to_parquet(tmp_path / "reviews.parquet")
    assert read_reviews(tmp_path / "reviews.parquet")["text"].tolist() == ["Fine.", ""]


def test_a_first_line_of_any_length_does_not_fill_the_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f'"{"long " * 1000}",{",".join("abcdefghijklmnop")}\n' + "," * 16 + "\n")
    with pytest.raises(NoHeader) as caught:
        read_reviews(path)
    assert len(str(caught.value)) < 500 + len(str(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        "review;sentiment\nLoved it, really;positive\n",
        "sep=;\nreview;sentiment\nLoved it, really;positive\n",
        "review\tsentiment\nLoved it, really\tpositive\n",
        "review|sentiment\nLoved it, really|positive\n",
        '{"review": "Loved it, really", "sentiment": "positive"}\n\n',
        '\ufeff{"review": "Loved it, really", "sentiment": 1}\n',
    ],
)
def test_a_table_in_another_dialect_is_read(tmp_path: Path, content: str) -> None:
    expected = {"text": ["Loved it, really"], "label": [1]}
    assert read_reviews(write(tmp_path / "reviews.csv", content)).to_dict("list") == expected
    compressed = write(tmp_path / "reviews.dat", gzip.compress(content.encode()))
    assert read_reviews(compressed).to_dict("list") == expected


def test_a_file_is_read_by_what_it_is(tmp_path: Path) -> None:
    table = pd.DataFrame({"text": ["Fine."], "label": [1]})
    table.to_parquet(tmp_path / "reviews.csv")
    table.to_csv(tmp_path / "reviews.parquet", index=False)
    for name in ("reviews.csv", "reviews.parquet"):
        assert read_reviews(tmp_path / name).to_dict("list") == {"text": ["Fine."], "label": [1]}


def test_json_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotTexts, match="value of type list"):
        read_reviews(write(tmp_path / "a.jsonl", '{"text": ["Fine."], "label": 1}\n'))


def test_hidden_files_of_an_archive_are_not_data(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "reviews.csv.zip", "w") as archive:
        archive.writestr("reviews.csv", "review,sentiment\nFine.,1\n")
        archive.writestr("__MACOSX/._reviews.csv", b"\x00\x05\x16\x07")
        archive.writestr(".cache/reviews.csv", "review\n")
    assert read_reviews(tmp_path / "reviews.csv.zip")["text"].tolist() == ["Fine."]


def test_a_split_column_may_have_splits_without_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,label,split\nFine.,1,train\nUnrated.,-1,unsupervised\nPoor.,0,train\n")
    assert read_reviews(path)["text"].tolist() == ["Fine.", "Poor."]
