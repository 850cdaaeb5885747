"""Corrections: texts and what people say they are."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pandas as pd

from ml.data.csv_rows import unescape_formula
from ml.data.reviews import read_reviews
from ml.data.splits import exclude_texts
from ml.errors import TooFewCorrections
from ml.text.fingerprints import digest, fingerprint
from ml.training.training_set import TrainingExamples


@dataclass(frozen=True, slots=True)
class Corrections:
    """Judged texts: columns ``text`` and ``label``, each text once."""

    rows: pd.DataFrame
    source: str
    contradictory: int
    """Texts left out because they were judged both ways."""
    held_out: int = 0
    """Texts left out because they stand in dev or in the official test part."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a table of reviews, with what an export defused as it was written.

        Raises what ``read_reviews`` does, and TooFewCorrections when none is left.
        """
        rows = read_reviews(path)[["text", "label"]]
        found = cls.from_table(rows.assign(text=rows["text"].map(unescape_formula)), path.name)
        if found.rows.empty:
            raise TooFewCorrections(path=path)
        return found

    @classmethod
    def from_table(cls, rows: pd.DataFrame, source: str) -> Self:
        """Those of ``rows`` (columns ``text`` and ``label``) that are clear; ``source`` is what a person calls them."""
        labels = rows.groupby(rows["text"].map(fingerprint))["label"].transform("nunique")
        clear = rows[labels == 1]
        clear = clear[~clear["text"].map(fingerprint).duplicated()].reset_index(drop=True)
        contradictory = rows[labels > 1]["text"].map(fingerprint).nunique()
        return cls(clear, source, contradictory)

    def excluding(self, held_out: pd.DataFrame) -> Self:
        """The corrections whose text does not stand in ``held_out``, which measures; raises TooFewCorrections."""
        kept = exclude_texts(self.rows, held_out)
        if kept.empty:
            raise TooFewCorrections(path=self.source)
        return replace(self, rows=kept, held_out=self.held_out + len(self.rows) - len(kept))

    def manifest_data(self) -> dict[str, Any]:
        """What the manifest says of them."""
        return {
            "file": self.source,
            "judgements": len(self.rows),
            "digest": digest(self.rows["text"]),
            "left_out_because_contradictory": self.contradictory,
            "left_out_because_held_out": self.held_out,
        }

    def examples(self) -> TrainingExamples:
        """Each text and its label."""
        return TrainingExamples.from_labels(self.rows["text"].tolist(), self.rows["label"].tolist())
