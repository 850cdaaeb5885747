"""The sentences that people write and judge, those held out from all of it, and the reviews that show what is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from ml.data.splits import exclude_texts, hold_out
from ml.text.fingerprints import fingerprint
from ml.training.dataset_splits import DatasetSplits
from worker.gate.gate_set import GateSet

# As in ``benchmarks.training.feedback_value``: the sentences that are left were what the recipe was tuned on.
_TEST, _POOL = 2_000, 8_500
_IMDB: Final = 3_000
_SEED: Final = 42


@dataclass(frozen=True, slots=True)
class Texts:
    """Tables with ``text`` and ``label``, no text in two of them; see ``cut``."""

    rounds: tuple[pd.DataFrame, ...]
    meanwhile: pd.DataFrame
    held_out: pd.DataFrame
    gate: pd.DataFrame
    imdb: pd.DataFrame

    @classmethod
    def cut(cls, sentences: pd.DataFrame, known: DatasetSplits, sizes: Sequence[int]) -> Self:
        """Draw by a fixed seed so many sentences for each round, some that nobody judges, and 2,000 that measure.

        ``imdb`` are official test reviews of movies that the gate's reviews do not have. Raises ValueError when there
        are too few sentences.
        """
        once = sentences.drop_duplicates("text")
        shuffled = once.iloc[np.random.default_rng(_SEED).permutation(len(once))].reset_index(drop=True)
        held_out = shuffled[:_TEST]
        others = exclude_texts(shuffled[_TEST : _TEST + _POOL], held_out)
        pool = others[~others["text"].map(fingerprint).duplicated()].reset_index(drop=True)
        ends = np.cumsum(sizes)
        if len(pool) <= ends[-1]:
            raise ValueError(f"there are {len(pool)} sentences to judge, and {ends[-1]} were asked for")
        rounds = [pool[end - size : end].reset_index(drop=True) for size, end in zip(sizes, ends, strict=True)]
        gate, imdb = gate_and_other_reviews(known)
        return cls(tuple(rounds), pool[ends[-1] :].reset_index(drop=True), held_out, gate, imdb)

    def named(self) -> dict[str, pd.DataFrame]:
        """Every table by its name."""
        rounds = {f"sentences of round {number}": table for number, table in enumerate(self.rounds, start=1)}
        others = {"sentences meanwhile": self.meanwhile, "sentences held out": self.held_out}
        return {**rounds, **others, "IMDB gate": self.gate, "IMDB to test": self.imdb}


def gate_and_other_reviews(known: DatasetSplits) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The gate's reviews, and other official test reviews that share neither a movie nor a text with them."""
    chosen = GateSet.choose(known)
    gate = pd.DataFrame({"text": chosen.texts, "label": chosen.labels})
    test = known.test
    movies = set(test.loc[test["text"].isin(chosen.texts), "movie"])
    rest = exclude_texts(test[~test["movie"].isin(movies)], gate)
    return gate, hold_out(rest, _IMDB / len(rest), _SEED).dev
