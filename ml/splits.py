"""Parts of the labelled reviews: the official ones, and some held out of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from config.errors import MissingPart
from ml.fingerprints import fingerprint


@dataclass(frozen=True, slots=True)
class Split:
    """What is trained on and what measures it; ``dropped`` rows of ``train`` are gone, as ``dev`` has their texts."""

    train: pd.DataFrame
    dev: pd.DataFrame
    dropped: int = 0

    def dev_texts_in_train(self) -> int:
        """Rows of ``dev`` whose text, compared by ``fingerprint``, stands in ``train`` too."""
        return int(self.dev["text"].map(fingerprint).isin(self.train["text"].map(fingerprint)).sum())


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


def split_rows(reviews: pd.DataFrame, share: float, seed: int) -> Split:
    """All rows, shuffled: the first are train, the last ``share`` of them dev. A text may stand on both sides."""
    order = np.random.default_rng(seed).permutation(len(reviews))
    shuffled = reviews.iloc[order].reset_index(drop=True)
    train = len(reviews) - round(share * len(reviews))
    return Split(shuffled.iloc[:train], shuffled.iloc[train:].reset_index(drop=True))
