"""Finds reviews in the official test split that have doubtful labels."""

from collections.abc import Set
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.data.reviews import find_column, read_table
from ml.errors import NoDoubtfulLabels, UnreadableTable

_FOLDERS = {0: "neg", 1: "pos"}
# Minimum number of votes for a label. Each review was labelled by five people. With fewer votes, a review's label is
# doubtful.
_MIN_VOTES = 3


def doubtful_rows(path: Path, reviews: pd.DataFrame, source: Path) -> npt.NDArray[np.bool_]:
    """Return a mask (reviews,) that selects the ``reviews`` from ``source`` whose labels are doubtful.

    The list at ``path`` comes from Northcutt et al. 2021 and has the columns ``file`` and ``votes_given``. A label is
    doubtful if fewer than three of five people chose it. Raise MissingFile, UnreadableTable, EmptyTable or
    MissingColumn if the list cannot be read, and NoDoubtfulLabels if none of the reviews is on the list.
    """
    columns = list(reviews.columns)
    split, number, rating = (reviews[find_column(source, columns, [name])] for name in ("split", "id", "rating"))
    folders = reviews["label"].map(_FOLDERS)
    names = split.astype(str) + "/" + folders + "/" + number.astype(str) + "_" + rating.astype(str)
    rows: npt.NDArray[np.bool_] = names.isin(_doubtful_files(path)).to_numpy()
    if not rows.any():
        raise NoDoubtfulLabels(path=path, source=source, name=names.iloc[0])
    return rows


def _doubtful_files(path: Path) -> Set[str]:
    """Return the names of the files with doubtful labels, such as ``test/neg/1003_4``."""
    table = read_table(path)
    file, votes = (table[find_column(path, list(table.columns), [name])] for name in ("file", "votes_given"))
    try:
        return set(file[votes.astype(int) < _MIN_VOTES])
    except ValueError as error:
        raise UnreadableTable(path=path, format="a list of doubtful labels", reason=str(error)) from error
