"""Reviews of the official test part whose label people do not agree with."""

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
    """Which of ``reviews``, read from ``source``, lose their label by the list at ``path`` (reviews,).

    The list is that of Northcutt et al. 2021, with columns file and votes_given: a label is lost when fewer than three
    of five people gave it. Raises MissingFile, UnreadableTable, EmptyTable, MissingColumn, or NoDoubtfulLabels when
    none of the reviews is on it.
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
    """The files, such as ``test/neg/1003_4``, whose label is lost."""
    table = read_table(path)
    file, votes = (table[find_column(path, list(table.columns), [name])] for name in ("file", "votes_given"))
    try:
        return set(file[votes.astype(int) < _MIN_VOTES])
    except ValueError as error:
        raise UnreadableTable(path=path, format="a list of doubtful labels", reason=str(error)) from error
