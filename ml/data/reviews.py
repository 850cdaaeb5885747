"""Reads labelled reviews: CSV (such as Kaggle's ``IMDB Dataset.csv``), parquet, ``aclImdb``, data set folders."""

import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from core.errors import MissingFile
from ml.data.csv_rows import csv_rows
from ml.data.dataset_folder import SPLIT_COLUMN, find_split_files, parse_split_name
from ml.data.imdb_archive import is_archive, read_archive
from ml.errors import EmptyTable, MissingColumn, NotTexts, UnknownLabel, UnreadableTable
from ml.text.labels import label_index

TEXT_COLUMNS: Final = ("review", "text")
LABEL_COLUMNS: Final = ("sentiment", "label")
# Raised for files whose content does not match their name. ImportError: parquet needs pyarrow, which only the training
# environment has. KeyError: a tar file with a dangling link.
_READ_ERRORS = (OSError, ValueError, KeyError, ImportError, EOFError, zlib.error, tarfile.TarError)
_CHUNK_ROWS = 10_000


def read_reviews(path: Path) -> pd.DataFrame:
    """Return labelled reviews: ``text`` (str), ``label`` (int8, index into LABELS), then the file's other columns.

    ``path`` is a CSV or parquet file, the official ``aclImdb`` data as a folder or tar file, or a folder of CSV or
    parquet files; for such a folder, the column ``split`` is filled from their names. Raises MissingFile,
    UnreadableTable, EmptyTable, MissingColumn, NotTexts, UnknownLabel or SeveralDataSets.
    """
    files = find_split_files(path, str(path)) if path.is_dir() else []
    if not files:
        return _read_labelled_table(path)
    return pd.concat(
        [_read_labelled_table(file.path).assign(**({"split": file.split} if file.split else {})) for file in files],
        ignore_index=True,
    )


def _read_labelled_table(path: Path) -> pd.DataFrame:
    table = read_table(path)
    text = find_column(path, list(table.columns), TEXT_COLUMNS)
    label = find_column(path, list(table.columns), LABEL_COLUMNS)
    labels = _parse_labels(path, table[label])
    others = _normalize_split_column(
        table[[column for column in table.columns if column not in {text, label, "text", "label", ""}]]
    )
    texts = _parse_texts(path, text, table[text])
    return pd.DataFrame({"text": texts, "label": labels, **{str(c): others[c] for c in others}})


def _normalize_split_column(others: pd.DataFrame) -> pd.DataFrame:
    """Rename the column of official splits, if any, to ``split``, and its values to train, validation and test."""
    split_column = next((column for column in others.columns if str(column).strip().lower() == SPLIT_COLUMN), None)
    if split_column is None:
        return others
    splits = others[split_column].map(lambda value: parse_split_name(str(value)) or value)
    return others.drop(columns=[split_column]).assign(**{SPLIT_COLUMN: splits})


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or parquet file or the official data. Raises MissingFile, UnreadableTable or EmptyTable."""
    if not path.exists():
        raise MissingFile(path=path)
    file_format, read = _format_and_reader(path)
    try:
        table = read(path)
    except _READ_ERRORS as error:
        raise UnreadableTable(path=path, format=file_format, reason=str(error).partition("\n")[0]) from error
    if table.empty:
        raise EmptyTable(path=path)
    return table


def _format_and_reader(path: Path) -> tuple[str, Callable[[Path], pd.DataFrame]]:
    """Return a file's format, determined from its name, and the function that reads that format."""
    if is_archive(path):
        return "the aclImdb data", read_archive
    if path.suffix == ".parquet":
        return "parquet", pd.read_parquet
    return "CSV", _read_csv


def _read_csv(path: Path) -> pd.DataFrame:
    with path.open("rb") as file:
        return pd.concat(csv_rows(path, file, _CHUNK_ROWS), ignore_index=True)


def find_column(path: Path, columns: list[str], names: Iterable[str]) -> str:
    """Return the first of ``columns`` with a name in ``names``, ignoring case if necessary. Raises MissingColumn."""
    lowered = {str(column).strip().lower(): column for column in reversed(columns)}
    for name in names:
        if name in columns:
            return name
        if name.strip().lower() in lowered:
            return lowered[name.strip().lower()]
    raise MissingColumn(path=path, column=" or ".join(names), columns=", ".join(map(str, columns)))


def _parse_texts(path: Path, name: str, column: "pd.Series[Any]") -> "pd.Series[str]":
    """Return a column of texts, with "" for missing ones. Raises NotTexts."""
    texts = column.astype(object).where(column.notna(), "")
    for row, value in enumerate(texts, start=1):
        if not isinstance(value, str):
            raise NotTexts(path=path, row=row, column=name, kind=type(value).__name__)
    return texts.astype(str)


def _parse_labels(path: Path, column: "pd.Series[str]") -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    words = column.astype(object).where(column.notna(), "").map(str)
    indices = {word: label_index(word) for word in words.unique()}
    for row, word in enumerate(words, start=1):
        if indices[word] is None:
            raise UnknownLabel(path=path, row=row, label=word)
    return np.fromiter((indices[word] for word in words), np.int8, len(words))
