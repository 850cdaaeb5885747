"""Reads IMDB and the four other domains as sets of distinct texts, and splits each domain in half."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Self, get_args

import pandas as pd

from benchmarks.common.text_sets import TextSet
from benchmarks.domains.quotations import quoted_texts
from ml.data.reviews import read_reviews, read_table
from ml.text.fingerprints import combined_digest, fingerprint
from ml.text.labels import label_index
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe

Half = Literal["development", "reported"]
"""Models are chosen on one half of each domain, and the final figures come from the other."""
HALVES: Final[tuple[Half, ...]] = get_args(Half)
IMDB: Final = "imdb"
"""The name of the set of IMDB reviews that is evaluated alongside a half of each domain.

Alongside the development half, these are the reviews that the recipe holds out. Alongside the reported half, they are
the official test split.
"""
IMDB_TEST: Final = "imdb_test"
_COLUMNS: Final = ["text", "label", "fingerprint"]
_SALT: Final = "thumbs domains 2026-11"
# Sentiment140 has neutral tweets, which belong to neither label.
_NEUTRAL: Final = "-1"
# The value of the column ``domain`` for sentences about films, if a file has that column.
_FILMS: Final = "imdb"


@dataclass(frozen=True, slots=True)
class Domain:
    """A file with labelled texts, and whether it contains sentences about films.

    Sentences about films can be quotations from IMDB, so any that occur in a training review are left out.
    """

    file: str
    has_films: bool = False


DOMAINS: Final[dict[str, Domain]] = {
    "alexa": Domain("amazon_alexa.csv.gz"),
    "uci": Domain("uci_sentences.csv.gz", has_films=True),
    "sentiment140": Domain("sentiment140_manual.csv.gz"),
    "rotten_tomatoes": Domain("rt_polarity.csv.gz", has_films=True),
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many of a file's rows were left out of its set, by reason."""

    neutral: int = 0
    repeated: int = 0
    """Rows whose text already appears in an earlier row."""
    in_other_set: int = 0
    """Texts that already appear in an earlier set."""
    in_train: int = 0
    """Texts that are in the official IMDB train split."""
    quoted_from_train: int = 0
    """Film sentences that are part of a review in the official IMDB train split."""


@dataclass(frozen=True, slots=True)
class DistinctTexts:
    """All sets, as tables with the columns ``text``, ``label`` and ``fingerprint``.

    Only ``official_train`` and ``train`` can contain the same text twice.
    """

    official_train: pd.DataFrame
    """The official IMDB train split, on which the plain run is fine-tuned."""
    train: pd.DataFrame
    """The part of ``official_train`` that the recipe fine-tunes on."""
    dev: pd.DataFrame
    """The part of ``official_train`` that the recipe holds out."""
    test: pd.DataFrame
    domains: dict[str, pd.DataFrame]
    left_out: dict[str, LeftOut]

    @classmethod
    def read(cls, folder: Path, recipe: Recipe) -> Self:
        """Read ``imdb.parquet`` and the domains' files in ``folder``, and split IMDB as ``recipe`` specifies.

        Raise ValueError if two sets have a text in common.
        """
        path = folder / "imdb.parquet"
        reviews = read_reviews(path)
        splits = DatasetSplits.from_reviews(reviews, path, recipe, None)
        official_train = _with_fingerprints(reviews[reviews["split"] == "train"])
        taken: set[str] = set()
        tables: dict[str, pd.DataFrame] = {}
        left_out: dict[str, LeftOut] = {}
        files = {
            IMDB_TEST: (splits.test, 0),
            **{name: _read_domain(folder / each.file) for name, each in DOMAINS.items()},
        }
        for name, (rows, neutral) in {IMDB_TEST: (splits.test, 0), **files}.items():
            selection = _Selection(_with_fingerprints(rows), LeftOut(neutral=neutral))
            selection.leave_out(official_train, taken, DOMAINS.get(name))
            tables[name], left_out[name] = selection.rows[_COLUMNS].reset_index(drop=True), selection.left_out
            taken |= set(tables[name]["fingerprint"])
        train, dev = (_with_fingerprints(each) for each in (splits.split.train, splits.split.dev))
        found = cls(official_train, train, dev, tables.pop(IMDB_TEST), tables, left_out)
        found._require_disjoint()
        return found

    def half(self, half: Half) -> dict[str, pd.DataFrame]:
        """Return the texts to evaluate on, by set: IMDB, and one half of each domain."""
        imdb = self.dev if half == "development" else self.test
        return {IMDB: imdb, **{name: _half(table, half) for name, table in self.domains.items()}}

    def read_by_plain_run(self) -> pd.DataFrame:
        """Return the rows of the domains. Reading the long IMDB reviews with PyTorch would take most of the time."""
        return pd.concat(self.domains.values(), ignore_index=True)

    def text_sets(self) -> dict[str, TextSet]:
        """Return the size and the digest of each set and of each half."""
        tables = {"imdb_official_train": self.official_train, **self._separate_sets()}
        return {name: text_set(table) for name, table in tables.items()}

    def _separate_sets(self) -> dict[str, pd.DataFrame]:
        halves = {f"{name}_{half}": _half(table, half) for name, table in self.domains.items() for half in HALVES}
        return {"imdb_train": self.train, "imdb_dev": self.dev, IMDB_TEST: self.test, **halves}

    def _require_disjoint(self) -> None:
        separate = self._separate_sets()
        from_train = {"imdb_train", "imdb_dev"}
        require_disjoint(separate)
        require_disjoint(
            {"imdb_official_train": self.official_train}
            | {name: table for name, table in separate.items() if name not in from_train}
        )


def text_set(table: pd.DataFrame) -> TextSet:
    """Return the size and the digest of a table that has a ``fingerprint`` column."""
    return TextSet(len(table), combined_digest(table["fingerprint"]))


def require_disjoint(tables: Mapping[str, pd.DataFrame]) -> None:
    """Raise ValueError if a fingerprint is in more than one table."""
    owners: dict[str, str] = {}
    for name, table in tables.items():
        for each in set(table["fingerprint"]):
            if (owner := owners.setdefault(each, name)) != name:
                raise ValueError(f"{owner} and {name} share a text")


def half_of(text_fingerprint: str) -> Half:
    """Return the half that contains the text with this fingerprint."""
    salted = hashlib.sha256(f"{_SALT} {text_fingerprint}".encode())
    return HALVES[salted.digest()[0] % len(HALVES)]


def _half(table: pd.DataFrame, half: Half) -> pd.DataFrame:
    return table[table["fingerprint"].map(half_of) == half].reset_index(drop=True)


def _with_fingerprints(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(fingerprint=rows["text"].map(fingerprint))


def _read_domain(path: Path) -> tuple[pd.DataFrame, int]:
    """Return a domain's labelled rows, and the number of neutral rows."""
    table = read_table(path)
    rows = table[table["label"] != _NEUTRAL]
    return rows.assign(label=rows["label"].map(label_index).astype("int8")), len(table) - len(rows)


@dataclass(slots=True)
class _Selection:
    """The rows of one file that have not been left out."""

    rows: pd.DataFrame
    left_out: LeftOut

    def leave_out(self, official_train: pd.DataFrame, taken: set[str], domain: Domain | None) -> None:
        """Leave out repeated texts, texts in ``official_train`` or ``taken``, and quotes from ``official_train``."""
        self._keep("repeated", ~self.rows["fingerprint"].duplicated())
        self._keep("in_train", ~self.rows["fingerprint"].isin(official_train["fingerprint"]))
        self._keep("in_other_set", ~self.rows["fingerprint"].isin(taken))
        if domain is not None and domain.has_films:
            films = self.rows[self.rows["domain"] == _FILMS] if "domain" in self.rows else self.rows
            quoted = quoted_texts(films["text"], official_train["text"])
            self._keep("quoted_from_train", ~self.rows["text"].isin(quoted))

    def _keep(self, reason: str, kept: "pd.Series[bool]") -> None:
        self.left_out = replace(self.left_out, **{reason: int((~kept).sum())})
        self.rows = self.rows[kept]
