"""Reads labelled reviews from CSV (such as Kaggle's ``IMDB Dataset.csv``), parquet, ``aclImdb`` and folders."""

import tarfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from textwrap import shorten
from typing import Any, Final

import numpy as np
import pandas as pd

from core.errors import MissingFile
from ml.data.dataset_folder import SPLIT_COLUMN, find_split_files, parse_split_name
from ml.data.imdb_archive import is_archive, read_archive
from ml.data.table_formats import is_parquet
from ml.data.table_reader import read_parquet, table_rows
from ml.errors import MissingColumn, NoHeader, NotTexts, UnknownLabel, UnreadableTable
from ml.text.labels import label_index

TEXT_COLUMNS: Final = ("review", "text")
LABEL_COLUMNS: Final = ("sentiment", "label")
# Errors raised for files whose content does not match their name. KeyError is for a tar file with a dangling link.
_READ_ERRORS = (OSError, ValueError, KeyError, EOFError, zlib.error, tarfile.TarError)
# Values that published data sets use for missing labels, as in a benchmark's test split.
_NO_LABEL: Final = ("-1", "-1.0", "")
_CHUNK_ROWS = 10_000
# Maximum length and maximum number of the column names listed in an error.
_LONGEST_NAME: Final = 60
_MOST_NAMES: Final = 10


def read_reviews(path: Path) -> pd.DataFrame:
    """Return labelled reviews: ``text`` (str), ``label`` (int8, index into LABELS), then the file's other columns.

    ``path`` is a CSV or parquet file, the official ``aclImdb`` data as a folder or tar file, or a folder with CSV or
    parquet files. For such a folder, the ``split`` column is filled in from the files' names. Raise MissingFile,
    UnreadableTable, EmptyTable, MissingColumn, NotTexts, UnknownLabel or SeveralDataSets if the reviews cannot be used.
    """
    files = find_split_files(path, str(path)) if path.is_dir() else []
    if not files:
        return _read_labelled_table(path, None)
    tables = [_read_labelled_table(file.path, file.split) for file in files]
    if all(table.empty for table in tables):
        raise UnknownLabel(path=files[0].path, row=1, label=_NO_LABEL[0])
    return pd.concat([table for table in tables if not table.empty], ignore_index=True)


def _read_labelled_table(path: Path, split: str | None) -> pd.DataFrame:
    """Read one table. ``split`` is the split in the table's name, or None. Skip splits that have no labels."""
    table = read_table(path)
    text = find_column(path, list(table.columns), TEXT_COLUMNS)
    label = find_column(path, list(table.columns), LABEL_COLUMNS)
    others = _normalize_split_column(
        table[[column for column in table.columns if column not in {text, label, "text", "label", ""}]]
    )
    if split is not None:
        others = others.assign(**{SPLIT_COLUMN: split})
    labelled = _labelled_splits(table[label], others, all_may_go=split is not None)
    table, others = table[labelled], others[labelled]
    columns = {"text": _parse_texts(path, text, table[text]), "label": _parse_labels(path, table[label])}
    return pd.DataFrame({**columns, **{str(c): others[c] for c in others}}).reset_index(drop=True)


def _labelled_splits(column: "pd.Series[Any]", others: pd.DataFrame, all_may_go: bool) -> "pd.Series[bool]":
    """Return a mask that selects the rows in splits that have labels.

    If no split has labels, keep all rows unless ``all_may_go`` is set.
    """
    if SPLIT_COLUMN not in others:
        return pd.Series(True, column.index)
    unlabelled = word_column(column).isin(_NO_LABEL)
    labelled = ~unlabelled.groupby(others[SPLIT_COLUMN].map(str)).transform("all")
    return labelled if all_may_go or labelled.any() else pd.Series(True, column.index)


def word_column(column: "pd.Series[Any]") -> "pd.Series[str]":
    """Return a column as strings, with "" for missing values. In JSON and parquet files, labels may be numbers."""
    return column.astype(object).where(column.notna(), "").map(str)


def _normalize_split_column(others: pd.DataFrame) -> pd.DataFrame:
    """Rename a column with official splits to ``split``, and its values to train, validation and test."""
    split_column = next((column for column in others.columns if str(column).strip().lower() == SPLIT_COLUMN), None)
    if split_column is None:
        return others
    splits = others[split_column].map(lambda value: parse_split_name(str(value)) or value)
    return others.drop(columns=[split_column]).assign(**{SPLIT_COLUMN: splits})


def read_table(path: Path) -> pd.DataFrame:
    """Read a table or the official data.

    Raise MissingFile, UnreadableTable or EmptyTable if it cannot be read.
    """
    if not path.exists():
        raise MissingFile(path=path)
    try:
        if is_archive(path):
            return read_archive(path)
        if is_parquet(path):
            return read_parquet(path)
        with path.open("rb") as file:
            return pd.concat(table_rows(path, file, _CHUNK_ROWS), ignore_index=True)
    except _READ_ERRORS as error:
        what = "the aclImdb data" if is_archive(path) else "CSV"
        raise UnreadableTable(path=path, format=what, reason=str(error).partition("\n")[0]) from error


def find_column(path: Path, columns: list[str], names: Iterable[str]) -> str:
    """Return the first of ``columns`` with a name in ``names``, ignoring case if necessary.

    Raise MissingColumn if there is none.
    """
    lowered = {str(column).strip().lower(): column for column in reversed(columns)}
    for name in names:
        if name in columns:
            return name
        if name.strip().lower() in lowered:
            return lowered[name.strip().lower()]
    if any(map(_is_data, map(str, columns))):
        raise NoHeader(path=path, columns=_name_list(columns))
    raise MissingColumn(path=path, column=" or ".join(names), columns=_name_list(columns))


def _is_data(name: str) -> bool:
    """Return whether a column's name looks like a value: a number, a label, or a text as long as a review."""
    return len(name) > _LONGEST_NAME or label_index(name) is not None or name.strip().lstrip("+-").isdecimal()


def _name_list(columns: list[str]) -> str:
    names = [shorten(str(column), _LONGEST_NAME, placeholder="...") for column in columns[:_MOST_NAMES]]
    return ", ".join([*names, *(["..."] if len(columns) > _MOST_NAMES else [])])


def text_column(path: Path, table: pd.DataFrame, name: str) -> "pd.Series[str]":
    """Return a column of ``table`` as texts. Missing texts become "".

    Raise NotTexts, which names ``path``, if the column contains anything else.
    """
    return _parse_texts(path, name, table[name])


def _parse_texts(path: Path, name: str, column: "pd.Series[Any]") -> "pd.Series[str]":
    """Return a column's texts. Missing texts become "". Raise NotTexts if the column contains anything else."""
    texts = column.astype(object).where(column.notna(), "")
    for row, value in enumerate(texts, start=1):
        if not isinstance(value, str):
            raise NotTexts(path=path, row=row, column=name, kind=type(value).__name__)
    return texts.astype(str)


def _parse_labels(path: Path, column: "pd.Series[str]") -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    words = word_column(column)
    indices = {word: label_index(word) for word in words.unique()}
    for index, word in words.items():
        if indices[word] is None:
            raise UnknownLabel(path=path, row=int(str(index)) + 1, label=word)
    return np.fromiter((indices[word] for word in words), np.int8, len(words))
