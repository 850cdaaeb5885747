"""Draws the sentences to write and label, the held-out sentences, and IMDB reviews for measuring forgetting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from benchmarks.common.held_out_texts import SEED, reviews_outside_gate, shuffled
from ml.data.splits import exclude_texts, hold_out
from ml.text.fingerprints import fingerprint
from ml.training.dataset_splits import DatasetSplits
from worker.gate.gate_set import GateSet

# The 162 sentences after these were used to tune the feedback recipe.
_TEST, _POOL = 2_000, 8_500
_IMDB: Final = 3_000


@dataclass(frozen=True, slots=True)
class LoopTexts:
    """Tables with the columns ``text`` and ``label``. No text is in more than one table."""

    rounds: tuple[pd.DataFrame, ...]
    meanwhile: pd.DataFrame
    held_out: pd.DataFrame
    gate: pd.DataFrame
    imdb: pd.DataFrame

    @classmethod
    def split(cls, sentences: pd.DataFrame, known: DatasetSplits, sizes: Sequence[int]) -> Self:
        """Draw the sentences for each round, background sentences that nobody labels, and 2,000 held-out sentences.

        ``imdb`` contains official test reviews outside the gate set. The seed is fixed. Raise ValueError if there are
        too few sentences.
        """
        rows = shuffled(sentences.drop_duplicates("text"))
        held_out = rows[:_TEST]
        others = exclude_texts(rows[_TEST : _TEST + _POOL], held_out)
        pool = others[~others["text"].map(fingerprint).duplicated()].reset_index(drop=True)
        ends = np.cumsum(sizes)
        if len(pool) <= ends[-1]:
            raise ValueError(f"the rounds need {ends[-1]} sentences, but there are only {len(pool)}")
        rounds = [pool[end - size : end].reset_index(drop=True) for size, end in zip(sizes, ends, strict=True)]
        chosen = GateSet.choose(known)
        gate = pd.DataFrame({"text": chosen.texts, "label": chosen.labels})
        background = pool[ends[-1] :].reset_index(drop=True)
        return cls(tuple(rounds), background, held_out, gate, imdb_test_reviews(known, chosen))

    def by_name(self) -> dict[str, pd.DataFrame]:
        """Return all tables, keyed by name."""
        rounds = {f"sentences of round {number}": table for number, table in enumerate(self.rounds, start=1)}
        others = {"sentences meanwhile": self.meanwhile, "sentences held out": self.held_out}
        return {**rounds, **others, "IMDB gate": self.gate, "IMDB to test": self.imdb}


def imdb_test_reviews(known: DatasetSplits, gate: GateSet) -> pd.DataFrame:
    """Return about 3,000 official test reviews outside the gate set, including all reviews of each selected movie."""
    others = reviews_outside_gate(known, gate)
    return hold_out(others, _IMDB / len(others), SEED).dev
