"""Selects held-out texts: shuffled sentences, and IMDB test reviews outside the gate set."""

import numpy as np
import pandas as pd

from ml.data.splits import exclude_texts
from ml.training.dataset_splits import DatasetSplits
from worker.gate.gate_set import GateSet

SEED = 42
"""Seed for every random draw of texts, so that all runs and benchmarks evaluate on the same texts."""


def shuffled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``table`` in an order that depends only on the number of rows."""
    return table.iloc[np.random.default_rng(SEED).permutation(len(table))].reset_index(drop=True)


def reviews_outside_gate(known: DatasetSplits, gate: GateSet) -> pd.DataFrame:
    """Return the official test reviews that share neither a movie nor a text with the gate set."""
    test = known.test
    movies = set(test.loc[test["text"].isin(gate.texts), "movie"])
    return exclude_texts(test[~test["movie"].isin(movies)], pd.DataFrame({"text": gate.texts}))
