"""Parts of the labelled reviews: the official ones, and some held out of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.errors import MissingSplit
from ml.text.fingerprints import fingerprint

_VALIDATION = "validation"


@dataclass(frozen=True, slots=True)
class TrainDevSplit:
    """What is trained on and what measures it; ``dropped`` rows of ``train`` are gone, as ``dev`` has their texts."""

    train: pd.DataFrame
    dev: pd.DataFrame
    dropped_from_train: int = 0

    def dev_texts_in_train(self) -> int:
        """Rows of ``dev`` whose text, compared by ``fingerprint``, stands in ``train`` too."""
        return int(self.dev["text"].map(fingerprint).isin(self.train["text"].map(fingerprint)).sum())


def official_split(reviews: pd.DataFrame, part: str) -> pd.DataFrame:
    """The rows of the official ``part`` (train or test), or every row when the file names no parts.

    Raises MissingSplit when it names others only.
    """
    if "split" not in reviews:
        return reviews
    chosen = reviews[reviews["split"] == part].reset_index(drop=True)
    if chosen.empty:
        raise MissingSplit(part=part, parts=", ".join(sorted(map(str, reviews["split"].unique()))))
    return chosen


def exclude_texts(reviews: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """``reviews`` without the rows whose text stands in ``other`` too, compared by ``fingerprint``."""
    known = set(other["text"].map(fingerprint))
    return reviews[~reviews["text"].map(fingerprint).isin(known)].reset_index(drop=True)


def official_train(reviews: pd.DataFrame) -> pd.DataFrame:
    """The rows of the official train and validation parts, or every row when the file names no parts.

    Raises MissingSplit when there is no train part.
    """
    train = official_split(reviews, "train")
    if not _is_validation(reviews).any():
        return train
    return pd.concat([train, official_split(reviews, _VALIDATION)], ignore_index=True)


def hold_out(reviews: pd.DataFrame, share: float, seed: int) -> TrainDevSplit:
    """Set reviews apart as dev, and leave their texts out of train.

    The validation part where there is one, else a ``share`` of the reviews: whole movies where known.
    """
    given = _is_validation(reviews)
    in_dev = given if given.any() else _sample_groups(reviews, share, seed)
    dev = reviews[in_dev].reset_index(drop=True)
    train = exclude_texts(reviews[~in_dev], dev)
    return TrainDevSplit(train, dev, int((~in_dev).sum()) - len(train))


def split_rows(reviews: pd.DataFrame, share: float, seed: int) -> TrainDevSplit:
    """All rows, shuffled: the first are train, the last ``share`` of them dev. A text may stand on both sides."""
    order = np.random.default_rng(seed).permutation(len(reviews))
    shuffled = reviews.iloc[order].reset_index(drop=True)
    train = len(reviews) - round(share * len(reviews))
    return TrainDevSplit(shuffled.iloc[:train], shuffled.iloc[train:].reset_index(drop=True))


def _is_validation(reviews: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows are of the official validation part."""
    return reviews["split"] == _VALIDATION if "split" in reviews else pd.Series(False, reviews.index)


def _sample_groups(reviews: pd.DataFrame, share: float, seed: int) -> "pd.Series[bool]":
    """Which rows the seed draws: at most ``share`` of them, never one without the others of its movie or text."""
    groups = reviews["text"].map(fingerprint)
    if "movie" in reviews:
        movies = reviews["movie"].astype("string").fillna("")
        groups = movies.where(movies != "", groups)
    names = np.random.default_rng(seed).permutation(sorted(set(groups)))
    sizes = groups.value_counts().reindex(names).cumsum()
    return groups.isin(set(sizes.index[sizes <= share * len(reviews)]))
