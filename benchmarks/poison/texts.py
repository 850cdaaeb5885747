"""The sentences that people write, and what shows the harm: other sentences, and reviews outside the gate set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import pandas as pd

from ml.data.splits import exclude_texts
from ml.text.fingerprints import fingerprint
from ml.text.labels import LABELS
from ml.training.dataset_splits import DatasetSplits
from worker.gate.gate_set import GateSet

_HELD_OUT: Final = 2_000
# So many show a loss of 0.3 points where two models differ on one review in a hundred.
_TESTED: Final = 6_000
_SEED: Final = 42


@dataclass(frozen=True, slots=True)
class Texts:
    """Tables with ``text`` and ``label``, no text in two of them.

    ``train`` are the reviews of IMDB's train part that the small network knows, dev among them; ``gate`` is the gate
    set, ``imdb`` reviews of the official test part whose movies it does not have.
    """

    sentences: pd.DataFrame
    held_out: pd.DataFrame
    train: pd.DataFrame
    gate: pd.DataFrame
    imdb: pd.DataFrame

    @classmethod
    def cut(cls, sentences: pd.DataFrame, known: DatasetSplits) -> Self:
        """Draw by a fixed seed; ``known`` is IMDB, with as many reviews to train on as the network is to know."""
        once = sentences[~sentences["text"].map(fingerprint).duplicated()]
        shuffled = once.iloc[np.random.default_rng(_SEED).permutation(len(once))].reset_index(drop=True)
        chosen = set(GateSet.choose(known).texts)
        in_gate = known.test["text"].isin(chosen)
        gate = known.test[in_gate]
        others = known.test[~known.test["movie"].isin(set(gate["movie"]))]
        return cls(
            sentences=shuffled[_HELD_OUT:].reset_index(drop=True),
            held_out=shuffled[:_HELD_OUT],
            train=pd.concat([known.split.train, known.split.dev], ignore_index=True),
            gate=gate,
            imdb=_drawn(exclude_texts(others, gate)),
        )

    def named(self) -> dict[str, pd.DataFrame]:
        """Every table by its name."""
        return {
            "sentences to write": self.sentences,
            "sentences held out": self.held_out,
            "IMDB that is known": self.train,
            "IMDB gate": self.gate,
            "IMDB to test": self.imdb,
        }

    def write_reviews(self, path: Path) -> Path:
        """Write IMDB as a training run reads it: what is known as its train part, the gate set as its test part."""
        table = pd.concat([self.train.assign(split="train"), self.gate.assign(split="test")], ignore_index=True)
        table["label"] = table["label"].map(dict(enumerate(LABELS)))
        table.to_parquet(path)
        return path


def _drawn(reviews: pd.DataFrame) -> pd.DataFrame:
    return reviews.sample(min(_TESTED, len(reviews)), random_state=_SEED)
