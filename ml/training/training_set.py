"""What one fine-tune trains on, and what it measures itself by."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.text.labels import LABELS

# Probabilities of the labels (texts, labels): of a label 1 and 0, of a model's answer anything that sums to 1.
Targets = npt.NDArray[np.float32]


def empty_reviews() -> pd.DataFrame:
    """A table of reviews without rows."""
    return pd.DataFrame({"text": pd.Series(dtype=str), "label": pd.Series(dtype=np.int8)})


@dataclass(frozen=True, slots=True)
class TrainingExamples:
    """Texts and what is to be said of each."""

    texts: Sequence[str]
    targets: Targets

    @classmethod
    def from_labels(cls, texts: Sequence[str], labels: Sequence[int]) -> Self:
        """Texts with indices into LABELS."""
        return cls(texts, np.eye(len(LABELS), dtype=np.float32)[np.asarray(labels, np.int64)])

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the texts and the likelier label of each, in their order."""
        content = json.dumps([list(self.texts), self.targets.argmax(axis=1).tolist()])
        return hashlib.sha256(content.encode()).hexdigest()

    def __add__(self, other: "TrainingExamples") -> "TrainingExamples":
        return TrainingExamples([*self.texts, *other.texts], np.concatenate([self.targets, other.targets]))


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Examples to train on and reviews to measure by, as tables with ``text`` and ``label``.

    ``dev`` shares no text with the examples unless its recipe's split says so; without any the base's calibration is
    kept. ``corrections`` are among the examples; ``facts`` is what the manifest says of the data.
    """

    examples: TrainingExamples
    manifest_data: dict[str, Any]
    dev: pd.DataFrame = field(default_factory=empty_reviews)
    corrections: pd.DataFrame = field(default_factory=empty_reviews)
