"""Corrections: texts with the labels that people agreed on, as training data."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pandas as pd

from ml.data.reviews import read_reviews
from ml.data.splits import exclude_texts
from ml.errors import TooFewCorrections
from ml.text.fingerprints import digest, fingerprint
from ml.training.training_set import TrainingExamples


@dataclass(frozen=True, slots=True)
class Corrections:
    """Corrections without contradictions.

    ``rows`` contains ``text`` and ``label`` (index into LABELS), and each text occurs once.

    ``source`` is a recognisable name for the corrections, such as a file name.
    """

    rows: pd.DataFrame
    source: str
    contradictory: int
    """The number of texts left out because they occur with both labels."""
    held_out: int = 0
    """The number of texts left out because they are in dev or in the official test split."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a table of labelled texts.

        Raise any error that ``read_reviews`` raises, and TooFewCorrections if no correction is left.
        """
        found = cls.from_table(read_reviews(path)[["text", "label"]], path.name)
        if found.rows.empty:
            raise TooFewCorrections(path=path)
        return found

    @classmethod
    def from_table(cls, rows: pd.DataFrame, source: str) -> Self:
        """Take each text in ``rows`` (columns ``text`` and ``label``) once. Leave out texts with conflicting labels."""
        label_counts = rows.groupby(rows["text"].map(fingerprint))["label"].transform("nunique")
        unambiguous = rows[label_counts == 1]
        unambiguous = unambiguous[~unambiguous["text"].map(fingerprint).duplicated()].reset_index(drop=True)
        contradictory = rows[label_counts > 1]["text"].map(fingerprint).nunique()
        return cls(unambiguous, source, contradictory)

    def excluding(self, held_out: pd.DataFrame) -> Self:
        """Leave out the texts in ``held_out``. Raise TooFewCorrections if no correction is left."""
        kept = exclude_texts(self.rows, held_out)
        if kept.empty:
            raise TooFewCorrections(path=self.source)
        return replace(self, rows=kept, held_out=self.held_out + len(self.rows) - len(kept))

    def manifest_data(self) -> dict[str, Any]:
        """Return a description of the corrections for the manifest."""
        return {
            "file": self.source,
            "judgements": len(self.rows),
            "digest": digest(self.rows["text"]),
            "left_out_because_contradictory": self.contradictory,
            "left_out_because_held_out": self.held_out,
        }

    def examples(self) -> TrainingExamples:
        """Return the corrections as examples with hard targets."""
        return TrainingExamples.from_labels(self.rows["text"].tolist(), self.rows["label"].tolist())
