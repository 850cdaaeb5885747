"""A folder of parquet or CSV files named after their part, as data sets lie on the Hugging Face hub."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from core.files import OPENERS
from ml.errors import SeveralDataSets

COMPRESSED_SUFFIXES: Final = (*OPENERS, ".zip")
TABLE_PATTERNS: Final = ("*.parquet", "*.csv", *(f"*.csv{suffix}" for suffix in COMPRESSED_SUFFIXES))
_TABLE = re.compile(rf"\.(parquet|csv({'|'.join(map(re.escape, COMPRESSED_SUFFIXES))})?)$")
# What the part of IMDB's reviews without a label is called.
UNLABELLED: Final = "unsupervised"
# The words that the hub takes for a part.
_SPLIT_NAMES: Final = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
    UNLABELLED: UNLABELLED,
}
_WORDS = re.compile(r"[^\W\d_]+")


# The column of a table that names the part of each row.
SPLIT_COLUMN: Final = "split"


@dataclass(frozen=True, slots=True)
class SplitFile:
    """One table of a data set and the part that it is of: train, validation, test, or None where nothing says."""

    path: Path
    split: str | None


def is_table(name: str) -> bool:
    """Whether a file of this name is a CSV file, packed or not, or a parquet file."""
    return _TABLE.search(name) is not None


def find_split_files(folder: Path, called: str) -> list[SplitFile]:
    """The tables of the one data set in ``folder``, in the order of their names; none where it holds no table.

    A file's name says its part, else the name of a folder that it lies in. Where some say it, the others are left out,
    as are IMDB's reviews without labels, hidden files and, where there is parquet, CSV. Raises SeveralDataSets, which
    speaks of the folder as ``called``, when the tables lie in different folders that no part is named after.
    """
    names = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if is_table(path.name)]
    parts = {name: _split_of(name) for name in names if not any(level.startswith(".") for level in name.parts)}
    if any(parts.values()):
        parts = {name: part for name, part in parts.items() if part not in (None, UNLABELLED)}
    if any(name.suffix == ".parquet" for name in parts):
        parts = {name: part for name, part in parts.items() if name.suffix == ".parquet"}
    places = sorted({_dataset_folder(name) for name in parts})
    if len(places) > 1:
        raise SeveralDataSets(name=called, folders=", ".join(places), example=f"{called}/{places[-1]}")
    return [SplitFile(folder / name, part) for name, part in parts.items()]


def parse_split_name(word: str) -> str | None:
    """The official part that a word stands for, whatever its case; None for another word."""
    return _SPLIT_NAMES.get(word.strip().lower())


def _split_of(name: PurePath) -> str | None:
    """The part that the file's own name, else the nearest folder's, names."""
    for words in (_words(level) for level in reversed(name.parts)):
        for word in words:
            if word in _SPLIT_NAMES:
                return _SPLIT_NAMES[word]
    return None


def _dataset_folder(name: PurePath) -> str:
    """The folder of a table, without the folders that are named after a part."""
    return PurePath(*(level for level in name.parts[:-1] if not _SPLIT_NAMES.keys() & set(_words(level)))).as_posix()


def _words(level: str) -> Iterable[str]:
    return _WORDS.findall(level.lower())
