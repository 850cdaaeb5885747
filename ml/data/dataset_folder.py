"""Finds the tables in a data set folder and their splits, following the Hugging Face hub's naming rules."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from core.files import OPENERS
from ml.data.table_formats import is_hidden
from ml.errors import SeveralDataSets

COMPRESSED_SUFFIXES: Final = (*OPENERS, ".zip")
TABLE_PATTERNS: Final = ("*.parquet", "*.csv", *(f"*.csv{suffix}" for suffix in COMPRESSED_SUFFIXES))
_TABLE = re.compile(rf"\.(parquet|csv({'|'.join(map(re.escape, COMPRESSED_SUFFIXES))})?)$")
# The split with IMDB's unlabelled reviews.
UNLABELLED: Final = "unsupervised"
# The words that the hub recognises as split names.
_SPLIT_NAMES: Final = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
    UNLABELLED: UNLABELLED,
}
_WORDS = re.compile(r"[^\W\d_]+")
# The column that names each row's split.
SPLIT_COLUMN: Final = "split"


@dataclass(frozen=True, slots=True)
class SplitFile:
    """A table in a data set and its split: train, validation or test, or None if the split is unknown."""

    path: Path
    split: str | None


def is_table(name: str) -> bool:
    """Return whether a file with this name is a CSV file, compressed or not, or a parquet file."""
    return _TABLE.search(name) is not None


def find_split_files(folder: Path, display_name: str) -> list[SplitFile]:
    """Return the tables in the data set folder ``folder``, ordered by name.

    The split comes from the file's name or, if the name does not contain one, from the nearest folder name that does.
    If any table has a split, tables without a split are skipped. Unlabelled reviews, hidden files and, if there are
    parquet files, CSV files are also skipped. Raise SeveralDataSets, with ``display_name`` as the folder's name, if the
    tables are in several folders that are not named after splits.
    """
    names = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if is_table(path.name)]
    splits = {name: _split_of(name) for name in names if not is_hidden(name)}
    if any(splits.values()):
        splits = {name: split for name, split in splits.items() if split not in (None, UNLABELLED)}
    if any(name.suffix == ".parquet" for name in splits):
        splits = {name: split for name, split in splits.items() if name.suffix == ".parquet"}
    folders = sorted({_dataset_folder(name) for name in splits})
    if len(folders) > 1:
        raise SeveralDataSets(name=display_name, folders=", ".join(folders), example=f"{display_name}/{folders[-1]}")
    return [SplitFile(folder / name, split) for name, split in splits.items()]


def parse_split_name(word: str) -> str | None:
    """Return the split that a word stands for, ignoring case, or None for any other word."""
    return _SPLIT_NAMES.get(word.strip().lower())


def _split_of(name: PurePath) -> str | None:
    """Return the split in the file's name or, failing that, in the name of the nearest folder that contains one."""
    for words in (_words(level) for level in reversed(name.parts)):
        for word in words:
            if word in _SPLIT_NAMES:
                return _SPLIT_NAMES[word]
    return None


def _dataset_folder(name: PurePath) -> str:
    """Return the path of a table's folder, without the levels that are named after a split."""
    return PurePath(*(level for level in name.parts[:-1] if not _SPLIT_NAMES.keys() & set(_words(level)))).as_posix()


def _words(level: str) -> Iterable[str]:
    return _WORDS.findall(level.lower())
