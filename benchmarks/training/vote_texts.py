"""Splits a domain's texts into texts to test on and texts to draw votes from, and draws votes."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from benchmarks.common.held_out_texts import shuffled
from benchmarks.domains.distinct_texts import half_of
from ml.serving.engine import Classifier, Logits

# The maximum number of texts to test on. They are from the reported half, so no choice was made with them.
_TEST: Final = 2_000
# The number of texts that wait for votes when the bot asks for some.
_WAITING: Final = 1_000


@dataclass(frozen=True, slots=True)
class VoteTexts:
    """A domain's distinct texts: those to ``test`` models on, and the ``pool`` that gets votes."""

    test: pd.DataFrame
    pool: pd.DataFrame

    @classmethod
    def split(cls, rows: pd.DataFrame, maximum: int = _TEST) -> Self:
        """Split a table from ``DistinctTexts`` with a fixed seed. Test on at most ``maximum`` texts."""
        rows = shuffled(rows)
        reported = np.flatnonzero(rows["fingerprint"].map(half_of) == "reported")[:maximum]
        tested = np.isin(np.arange(len(rows)), reported)
        return cls(rows[tested].reset_index(drop=True), rows[~tested].reset_index(drop=True))

    def random_votes(self, votes: int, seed: int) -> pd.DataFrame:
        """Return ``votes`` texts, drawn at random."""
        return self.pool.sample(votes, random_state=seed).reset_index(drop=True)

    def asked_votes(self, votes: int, seed: int, anchor: Classifier) -> pd.DataFrame:
        """Return the texts that ``/label`` would show first: the anchor's least sure texts and as many random ones.

        They are chosen from 1,000 texts that wait for votes, or from all texts if there are fewer.
        """
        waiting = self.random_votes(min(_WAITING, len(self.pool)), seed)
        margins = np.abs(np.diff(text_logits(anchor, waiting), axis=1)[:, 0])
        order = np.argsort(margins, kind="stable")
        least_sure, others = order[: votes // 2], order[votes // 2 :]
        random = np.random.default_rng(seed).choice(others, votes - len(least_sure), replace=False)
        return waiting.iloc[[*least_sure, *random]].reset_index(drop=True)


def text_logits(model: Classifier, texts: pd.DataFrame) -> Logits:
    """Return a model's logits for the column ``text`` (texts, labels)."""
    return model.engine.logits(texts["text"].tolist())[0]
