"""Splits labelled reviews by their official splits, and holds out a dev set."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.errors import MissingSplit
from ml.text.fingerprints import fingerprint

_VALIDATION = "validation"


@dataclass(frozen=True, slots=True)
class TrainDevSplit:
    """A train and a dev table.

    ``dropped_from_train`` counts the training rows that were removed because their texts are also in ``dev``.
    """

    train: pd.DataFrame
    dev: pd.DataFrame
    dropped_from_train: int = 0

    def dev_texts_in_train(self) -> int:
        """Return how many rows in ``dev`` have a text that is also in ``train``, compared by ``fingerprint``."""
        return int(self.dev["text"].map(fingerprint).isin(self.train["text"].map(fingerprint)).sum())


def official_split(reviews: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return the rows of the official ``split``, or every row if the file names no splits.

    Raise MissingSplit if the file names only other splits.
    """
    if "split" not in reviews:
        return reviews
    chosen = reviews[reviews["split"] == split].reset_index(drop=True)
    if chosen.empty:
        raise MissingSplit(split=split, splits=", ".join(sorted(map(str, reviews["split"].unique()))))
    return chosen


def exclude_texts(reviews: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return ``reviews`` without the texts that are also in ``other``, compared by ``fingerprint``."""
    excluded = set(other["text"].map(fingerprint))
    return reviews[~reviews["text"].map(fingerprint).isin(excluded)].reset_index(drop=True)


def official_train(reviews: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the official train and validation splits, or every row if the file names no splits.

    Raise MissingSplit if there is no train split.
    """
    train = official_split(reviews, "train")
    if not _is_validation(reviews).any():
        return train
    return pd.concat([train, official_split(reviews, _VALIDATION)], ignore_index=True)


def hold_out(reviews: pd.DataFrame, share: float, seed: int) -> TrainDevSplit:
    """Hold out a dev set, and remove its texts from train.

    Dev is the official validation split or, if there is none, a ``share`` of the reviews. If the movies are known, each
    movie's reviews stay together.
    """
    validation = _is_validation(reviews)
    in_dev = validation if validation.any() else _sample_groups(reviews, share, seed)
    dev = reviews[in_dev].reset_index(drop=True)
    train = exclude_texts(reviews[~in_dev], dev)
    return TrainDevSplit(train, dev, int((~in_dev).sum()) - len(train))


def split_rows(reviews: pd.DataFrame, share: float, seed: int) -> TrainDevSplit:
    """Shuffle all rows and take the last ``share`` of them as dev. The same text can be in both tables."""
    order = np.random.default_rng(seed).permutation(len(reviews))
    shuffled = reviews.iloc[order].reset_index(drop=True)
    train = len(reviews) - round(share * len(reviews))
    return TrainDevSplit(shuffled.iloc[:train], shuffled.iloc[train:].reset_index(drop=True))


def _is_validation(reviews: pd.DataFrame) -> "pd.Series[bool]":
    """Return a mask that selects the rows in the official validation split."""
    return reviews["split"] == _VALIDATION if "split" in reviews else pd.Series(False, reviews.index)


def _sample_groups(reviews: pd.DataFrame, share: float, seed: int) -> "pd.Series[bool]":
    """Draw at most ``share`` of the rows with ``seed``, and return their mask.

    Keep rows for one movie or text together.
    """
    groups = reviews["text"].map(fingerprint)
    if "movie" in reviews:
        movies = reviews["movie"].astype("string").fillna("")
        groups = movies.where(movies != "", groups)
    names = np.random.default_rng(seed).permutation(sorted(set(groups)))
    sizes = groups.value_counts().reindex(names).cumsum()
    return groups.isin(set(sizes.index[sizes <= share * len(reviews)]))
