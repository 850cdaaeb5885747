"""The training set for a fine-tune: examples with targets, and dev reviews for evaluation."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.text.fingerprints import digest
from ml.text.labels import LABELS

# Probabilities of the labels, (texts, labels) float32: 1 and 0 for a known label, a model's own probabilities for soft
# targets.
Targets = npt.NDArray[np.float32]


def empty_reviews() -> pd.DataFrame:
    """Return an empty table of reviews."""
    return pd.DataFrame({"text": pd.Series(dtype=str), "label": pd.Series(dtype=np.int8)})


@dataclass(frozen=True, slots=True)
class TrainingExamples:
    """Texts and their targets (texts, labels): hard for labelled texts, soft for texts that a model labelled.

    ``groups`` contains each text's group number. An epoch uses one text from each group, or every text if ``groups`` is
    None.
    """

    texts: Sequence[str]
    targets: Targets
    groups: Sequence[int] | None = None

    @classmethod
    def from_labels(cls, texts: Sequence[str], labels: Sequence[int]) -> Self:
        """Make hard targets from ``labels``, which are indices into LABELS."""
        return cls(texts, np.eye(len(LABELS), dtype=np.float32)[np.asarray(labels, np.int64)])

    @property
    def digest(self) -> str:
        """The SHA-256, in hex, of the texts and their more likely labels, in order."""
        content = json.dumps([list(self.texts), self.targets.argmax(axis=1).tolist()])
        return hashlib.sha256(content.encode()).hexdigest()

    def __add__(self, other: "TrainingExamples") -> "TrainingExamples":
        texts, targets = [*self.texts, *other.texts], np.concatenate([self.targets, other.targets])
        if self.groups is None and other.groups is None:
            return TrainingExamples(texts, targets)
        first = self.group_numbers
        after = max(first, default=-1) + 1
        return TrainingExamples(texts, targets, [*first, *(after + group for group in other.group_numbers)])

    @property
    def group_numbers(self) -> Sequence[int]:
        """Each text's group number."""
        return range(len(self.texts)) if self.groups is None else self.groups


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The data for training and evaluating one fine-tune. Tables have ``text`` and ``label``.

    ``dev`` has no text in common with the examples unless the recipe splits by rows. If ``dev`` is empty, the base's
    temperature is kept. The ``corrections`` are also among the examples, as are the texts ``replayed`` in a feedback
    round. Only the review head is fitted on ``not_reviews``. ``manifest_data`` becomes ``Manifest.data``.
    """

    examples: TrainingExamples
    manifest_data: dict[str, Any]
    dev: pd.DataFrame = field(default_factory=empty_reviews)
    corrections: pd.DataFrame = field(default_factory=empty_reviews)
    replayed: TrainingExamples = field(default_factory=lambda: TrainingExamples.from_labels([], []))
    not_reviews: Sequence[str] = ()

    def with_not_reviews(self, texts: Sequence[str]) -> Self:
        """Return the training set with texts that are not reviews, according to people, and record them."""
        facts = {"texts": len(texts), "digest": digest(texts)}
        return replace(self, not_reviews=texts, manifest_data={**self.manifest_data, "not_reviews": facts})
