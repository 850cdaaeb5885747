"""Labelled reviews from files: Kaggle's ``IMDB Dataset.csv``, the official ``aclImdb`` data, and parquet."""

import hashlib
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from config.errors import EmptyTable, MissingColumn, MissingFile, MissingPart, UnknownLabel, UnreadableTable
from ml.csv_rows import csv_rows
from ml.imdb_archive import is_archive, read_archive
from ml.labels import label_index

TEXT_COLUMNS: Final = ("review", "text")
LABEL_COLUMNS: Final = ("sentiment", "label")
_NOT_WORD = re.compile(r"[\W_]+")
# What a file raises that is not what its name says. ImportError: without pyarrow, which only fine-tuning needs, there
# is no parquet.
_UNREADABLE = (OSError, ValueError, ImportError, EOFError, zlib.error, tarfile.TarError)
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Split:
    """Two sets of reviews with no text in common; ``dropped`` rows of the first stood in the second as well."""

    train: pd.DataFrame
    dev: pd.DataFrame
    dropped: int = 0


def read_reviews(path: Path) -> pd.DataFrame:
    """Labelled reviews: columns ``text`` (str) and ``label`` (int8, index into LABELS), then what else the file has.

    ``path`` is a CSV, a parquet file, or the official ``aclImdb`` data as a folder or tar file. Raises MissingFile,
    UnreadableTable, EmptyTable, MissingColumn or UnknownLabel.
    """
    table = read_table(path)
    text = find_column(path, list(table.columns), TEXT_COLUMNS)
    label = find_column(path, list(table.columns), LABEL_COLUMNS)
    labels = _labels(path, table[label])
    others = table[[column for column in table.columns if column not in {text, label, "text", "label", ""}]]
    texts = table[text].fillna("").astype(str)
    return pd.DataFrame({"text": texts, "label": labels, **{str(c): others[c] for c in others}})


def read_table(path: Path) -> pd.DataFrame:
    """The rows of a CSV, parquet or official file; raises MissingFile, UnreadableTable or EmptyTable."""
    if not path.exists():
        raise MissingFile(path=path)
    form, read = _reader(path)
    try:
        table = read(path)
    except _UNREADABLE as error:
        raise UnreadableTable(path=path, format=form, reason=str(error).partition("\n")[0]) from error
    if table.empty:
        raise EmptyTable(path=path)
    return table


def _reader(path: Path) -> tuple[str, Callable[[Path], pd.DataFrame]]:
    """The form of a file, judged by its name, and what reads it."""
    if is_archive(path):
        return "the aclImdb data", read_archive
    if path.suffix == ".parquet":
        return "parquet", pd.read_parquet
    return "CSV", _read_csv


def _read_csv(path: Path) -> pd.DataFrame:
    with path.open("rb") as file:
        return pd.concat(csv_rows(path, file, _ROWS_AT_ONCE), ignore_index=True)


def find_column(path: Path, columns: list[str], wanted: Iterable[str]) -> str:
    """The first of ``columns`` that is named as ``wanted`` says, else in another case; raises MissingColumn."""
    names = {str(column).strip().lower(): column for column in reversed(columns)}
    for name in wanted:
        if name in columns:
            return name
        if name.strip().lower() in names:
            return names[name.strip().lower()]
    raise MissingColumn(path=path, column=" or ".join(wanted), columns=", ".join(map(str, columns)))


def _labels(path: Path, column: "pd.Series[str]") -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    words = column.astype(object).where(column.notna(), "").map(str)
    known = {word: label_index(word) for word in words.unique()}
    for row, word in enumerate(words, start=1):
        if known[word] is None:
            raise UnknownLabel(path=path, row=row, label=word)
    return np.fromiter((known[word] for word in words), np.int8, len(words))


def fingerprint(text: str) -> str:
    """A hash that is equal for texts that differ only in case, punctuation, white space or HTML line breaks."""
    normal = _NOT_WORD.sub(" ", text.replace("<br />", " ").lower()).strip()
    return hashlib.sha256(normal.encode()).hexdigest()


def digest(texts: Iterable[str]) -> str:
    """One hash for a set of texts, whatever their order."""
    return hashlib.sha256("".join(sorted(fingerprint(text) for text in texts)).encode()).hexdigest()


def official_split(reviews: pd.DataFrame, part: str) -> pd.DataFrame:
    """The rows of the official ``part`` (train or test), or every row when the file names no parts.

    Raises MissingPart when it names others only.
    """
    if "split" not in reviews:
        return reviews
    chosen = reviews[reviews["split"] == part].reset_index(drop=True)
    if chosen.empty:
        raise MissingPart(part=part, parts=", ".join(sorted(map(str, reviews["split"].unique()))))
    return chosen


def without_texts_of(reviews: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """``reviews`` without the rows whose text stands in ``other`` too, compared by ``fingerprint``."""
    known = set(other["text"].map(fingerprint))
    return reviews[~reviews["text"].map(fingerprint).isin(known)].reset_index(drop=True)


def hold_out(reviews: pd.DataFrame, share: float, seed: int) -> Split:
    """Set a share of the reviews apart as dev: whole movies where known, and never a text on both sides."""
    groups = reviews["text"].map(fingerprint)
    if "movie" in reviews:
        groups = reviews["movie"].astype("string").fillna(groups)
    names = np.random.default_rng(seed).permutation(sorted(set(groups)))
    sizes = groups.value_counts().reindex(names).cumsum()
    held = set(sizes.index[sizes <= share * len(reviews)])
    in_dev = groups.isin(held)
    dev = reviews[in_dev].reset_index(drop=True)
    train = without_texts_of(reviews[~in_dev], dev)
    return Split(train, dev, int((~in_dev).sum()) - len(train))
