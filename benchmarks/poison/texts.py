"""Draws the sentences that people write, and the sentences and IMDB reviews for measuring harm."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import pandas as pd

from benchmarks.common.held_out_texts import SEED, reviews_outside_gate, shuffled
from ml.text.fingerprints import fingerprint
from ml.text.labels import LABELS
from ml.training.dataset_splits import DatasetSplits
from worker.gate.gate_set import GateSet

_HELD_OUT: Final = 2_000
# This many reviews are enough to show a loss of 0.3 points if two models differ on one review in a hundred.
_IMDB: Final = 6_000


@dataclass(frozen=True, slots=True)
class PoisonTexts:
    """Tables with the columns ``text`` and ``label``. No text is in more than one table.

    ``train`` contains the official IMDB training reviews that the small network is trained on, including dev. ``gate``
    is the gate set, and ``imdb`` contains official test reviews of movies outside the gate set.
    """

    sentences: pd.DataFrame
    held_out: pd.DataFrame
    train: pd.DataFrame
    gate: pd.DataFrame
    imdb: pd.DataFrame

    @classmethod
    def split(cls, sentences: pd.DataFrame, known: DatasetSplits) -> Self:
        """Draw all tables with a fixed seed. ``known.train`` is limited to the small network's reviews."""
        rows = shuffled(sentences[~sentences["text"].map(fingerprint).duplicated()])
        gate = GateSet.choose(known)
        others = reviews_outside_gate(known, gate)
        return cls(
            sentences=rows[_HELD_OUT:].reset_index(drop=True),
            held_out=rows[:_HELD_OUT],
            train=pd.concat([known.split.train, known.split.dev], ignore_index=True),
            gate=known.test[known.test["text"].isin(gate.texts)],
            imdb=others.sample(min(_IMDB, len(others)), random_state=SEED),
        )

    def by_name(self) -> dict[str, pd.DataFrame]:
        """Return all tables, keyed by name."""
        return {
            "sentences to write": self.sentences,
            "sentences held out": self.held_out,
            "IMDB that is known": self.train,
            "IMDB gate": self.gate,
            "IMDB to test": self.imdb,
        }

    def write_reviews(self, path: Path) -> Path:
        """Write the data file for training runs. The train split is ``train``, and the test split is the gate set."""
        table = pd.concat([self.train.assign(split="train"), self.gate.assign(split="test")], ignore_index=True)
        table["label"] = table["label"].map(dict(enumerate(LABELS)))
        table.to_parquet(path)
        return path
