"""Verdicts are added to the rows of a CSV file. The classifier in these tests looks for a single word."""

import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from cli.csv_verdicts import CHUNK_ROWS, add_verdicts
from cli.errors import ColumnTaken
from core.errors import MissingFile, ThumbsError, UnwritableFile
from ml.errors import EmptyTable, MissingColumn, UnreadableTable
from ml.serving.answers import Answer, answer_texts
from ml.serving.engine import Verdict


def classify_by_word(texts: Sequence[str]) -> list[Answer]:
    return [Answer("Positive", 0.91234) if "liked" in text else Answer("Negative", 0.75) for text in texts]


def verdict_by_word(texts: Sequence[str]) -> list[Verdict]:
    return [
        Verdict(each.label or "", each.confidence or 0, True, 1, (0.0, 0.0), "") for each in classify_by_word(texts)
    ]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_keep_their_columns_and_gain_a_label_and_a_confidence(tmp_path: Path) -> None:
    source = write(
        tmp_path / "in.csv",
        'id,review,note\n007,"I liked it, mostly",NA\n8,"Dull.\nVery ""dull"".",\n',
    )
    summary = add_verdicts(source, tmp_path / "out.csv", classify_by_word)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == (
        "id,review,note,label,confidence,reason\n"
        '007,"I liked it, mostly",NA,Positive,0.9123,\n'
        '8,"Dull.\nVery ""dull"".",,Negative,0.7500,\n'
    )
    assert (summary.rows, summary.positive, summary.negative, summary.without) == (2, 1, 1, 0)


def test_a_row_without_a_verdict_has_no_label_and_says_why(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", "text\nI liked it\n...\n8/10\n5/10\n")
    summary = add_verdicts(source, tmp_path / "out.csv", lambda texts: answer_texts(verdict_by_word, texts))
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == (
        "text,label,confidence,reason\n"
        "I liked it,Positive,0.9123,\n"
        "...,,,no words\n"
        "8/10,Positive,,rating 8/10\n"
        "5/10,,,mixed rating 5/10\n"
    )
    assert (summary.rows, summary.positive, summary.negative, summary.without) == (4, 2, 0, 2)


@pytest.mark.parametrize(
    ("header", "wanted", "used"),
    [
        ("text,review", None, "review"),
        ("text,other", None, "text"),
        ("text,other", "other", "other"),
        ("other,Review ", None, "Review "),
        ("Text,text", "text", "text"),
        ("text,Other", "other", "Other"),
    ],
)
def test_the_column_is_review_or_text_or_the_given_one(
    tmp_path: Path, header: str, wanted: str | None, used: str
) -> None:
    seen: list[str] = []

    def remember(texts: Sequence[str]) -> list[Answer]:
        seen.extend(texts)
        return classify_by_word(texts)

    source = write(tmp_path / "in.csv", f"{header}\nfirst,second\n")
    add_verdicts(source, tmp_path / "out.csv", remember, wanted)
    assert seen == ["first" if header.split(",", maxsplit=1)[0] == used else "second"]


def test_a_long_file_is_read_and_classified_in_chunks(tmp_path: Path) -> None:
    rows = 3 * CHUNK_ROWS + 7
    source = write(tmp_path / "in.csv", "text\n" + "".join(f"I liked number {i}\n" for i in range(rows)))
    sizes: list[int] = []
    progress: list[tuple[int, int]] = []

    def measure(texts: Sequence[str]) -> list[Answer]:
        sizes.append(len(texts))
        return classify_by_word(texts)

    add_verdicts(source, tmp_path / "out.csv", measure, on_progress=lambda *at: progress.append(at))
    assert sizes == [CHUNK_ROWS] * 3 + [7]
    assert progress[-1] == (source.stat().st_size, rows)
    result = pd.read_csv(tmp_path / "out.csv")
    assert result["text"].tolist() == [f"I liked number {i}" for i in range(rows)]
    assert set(result["label"]) == {"Positive"}


def test_compressed_files_are_recognized_by_their_suffixes(tmp_path: Path) -> None:
    source = tmp_path / "in.csv.gz"
    with gzip.open(source, "wt", encoding="utf-8") as file:
        file.write("text\nI liked it\n")
    add_verdicts(source, tmp_path / "out.csv.xz", classify_by_word)
    assert pd.read_csv(tmp_path / "out.csv.xz")["label"].tolist() == ["Positive"]


def test_a_file_may_be_replaced_by_its_result(tmp_path: Path) -> None:
    source = write(tmp_path / "reviews.csv", "\ufefftext\nI liked it\n")
    add_verdicts(source, source, classify_by_word)
    assert source.read_text(encoding="utf-8") == "text,label,confidence,reason\nI liked it,Positive,0.9123,\n"


@pytest.mark.parametrize(
    ("content", "column", "error", "words"),
    [
        (b"", None, EmptyTable, "has no rows"),
        (b"review\n", None, EmptyTable, "has no rows"),
        (b"title,body\na,b\n", None, MissingColumn, "no column named review or text; its columns are title, body"),
        (b"review\na\n", "body", MissingColumn, "no column named body; its columns are review"),
        (b"review,label\na,b\n", None, ColumnTaken, "already has a column named label"),
        (b"review\na,b\n", None, UnreadableTable, "data row 1 has 2 fields and the header 1"),
        (b"id,review,n\n1,2,3,4\n", None, UnreadableTable, "data row 1 has 4 fields"),
        (b"review,id\na,1\nb,2,3\n", None, UnreadableTable, "data row 2 has 3 fields"),
        (b"review,id\na,1\nb\n", None, UnreadableTable, "data row 2 has 1 field"),
        (b'review\n"never closed\n', None, UnreadableTable, "line 2: unexpected end of data"),
        (b"review\n\xff\xfe\n", None, UnreadableTable, "line 2 has the byte 0xff, which is not UTF-8"),
    ],
)
def test_an_unusable_file_is_an_error_and_leaves_no_output(
    tmp_path: Path, content: bytes, column: str | None, error: type[ThumbsError], words: str
) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(content)
    with pytest.raises(error, match=r"in\.csv") as caught:
        add_verdicts(source, tmp_path / "out.csv", classify_by_word, column)
    assert words in str(caught.value)
    assert caught.value.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_truncated_archive_is_unreadable(tmp_path: Path) -> None:
    source = tmp_path / "in.csv.gz"
    source.write_bytes(gzip.compress(b"text\n" + b"I liked it\n" * 1000)[:-20])
    with pytest.raises(UnreadableTable):
        add_verdicts(source, tmp_path / "out.csv", classify_by_word)


def test_a_missing_file_and_a_missing_folder_are_reported(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"absent\.csv"):
        add_verdicts(tmp_path / "absent.csv", tmp_path / "out.csv", classify_by_word)
    with pytest.raises(UnreadableTable, match="Is a directory"):
        add_verdicts(tmp_path, tmp_path / "out.csv", classify_by_word)
    source = write(tmp_path / "in.csv", "text\nI liked it\n")
    with pytest.raises(UnwritableFile, match="No such file or directory"):
        add_verdicts(source, tmp_path / "absent" / "out.csv", classify_by_word)


def test_an_interrupted_run_leaves_the_old_file(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", "text\n" + "I liked it\n" * (2 * CHUNK_ROWS))
    target = write(tmp_path / "out.csv", "from before\n")
    calls = 0

    def interrupt(texts: Sequence[str]) -> list[Answer]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return classify_by_word(texts)

    with pytest.raises(KeyboardInterrupt):
        add_verdicts(source, target, interrupt)
    assert target.read_text(encoding="utf-8") == "from before\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_formulas_are_escaped_in_every_cell_but_numbers_are_kept(tmp_path: Path) -> None:
    rows = 'review,stars,"=1+1"\n"=HYPERLINK(""x"")",-5,@cmd\n"+good, I liked it",+1.5,plain\n'
    add_verdicts(write(tmp_path / "in.csv", rows), tmp_path / "out.csv", classify_by_word)
    table = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert list(table.columns) == ["review", "stars", "'=1+1", "label", "confidence", "reason"]
    assert table.iloc[:, :3].to_numpy().tolist() == [
        ['\'=HYPERLINK("x")', "-5", "'@cmd"],
        ["'+good, I liked it", "+1.5", "plain"],
    ]


@pytest.mark.parametrize("before", [None, 0o644])
def test_the_result_is_private(tmp_path: Path, before: int | None) -> None:
    source = write(tmp_path / "in.csv", "text\nI liked it\n")
    if before is not None:
        write(tmp_path / "out.csv", "old").chmod(before)
    umask = os.umask(0)
    try:
        add_verdicts(source, tmp_path / "out.csv", classify_by_word)
    finally:
        os.umask(umask)
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600
