"""Finds reviews of the official test split whose label people disagree with."""

from collections.abc import Set
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.data.reviews import find_column, read_table
from ml.errors import NoDoubtfulLabels, UnreadableTable

_FOLDERS = {0: "neg", 1: "pos"}
# Of five people.
_MIN_VOTES = 3


def doubtful_rows(path: Path, reviews: pd.DataFrame, source: Path) -> npt.NDArray[np.bool_]:
    """Return a mask (reviews,) of the ``reviews``, read from ``source``, whose label is doubtful.

    The list at ``path`` is that of Northcutt et al. 2021, with columns file and votes_given: a label is doubtful if
    fewer than three of five people gave it. Raises MissingFile, UnreadableTable, EmptyTable, MissingColumn, or
    NoDoubtfulLabels if none of the reviews is on the list.
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
    """Return the files, such as ``test/neg/1003_4``, whose label is doubtful."""
    table = read_table(path)
    file, votes = (table[find_column(path, list(table.columns), [name])] for name in ("file", "votes_given"))
    try:
        return set(file[votes.astype(int) < _MIN_VOTES])
    except ValueError as error:
        raise UnreadableTable(path=path, format="a list of doubtful labels", reason=str(error)) from error
