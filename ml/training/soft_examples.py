"""Turns a file of soft labels into training examples for a fine-tune."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from ml.distillation.soft_labels import SoftLabels, review_key
from ml.errors import UnusableSoftLabels
from ml.serving.engine import probabilities
from ml.text.characters import NEW_MODELS_FORM, clean_characters
from ml.training.training_set import TrainingExamples


@dataclass(frozen=True, slots=True)
class LabelledParts:
    """A teacher's labels for parts of reviews. ``source`` is the name of the file with the labels."""

    labels: SoftLabels
    source: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of soft labels.

        Raise MissingFile if there is no such file, and UnusableSoftLabels if the file is broken or was made for texts
        cleaned in a different way.
        """
        labels = SoftLabels.read(path)
        if labels.characters != NEW_MODELS_FORM:
            raise UnusableSoftLabels(path=path, reason=f"it was made for texts in the form {labels.characters}")
        return cls(labels, path.name)

    def examples(self, reviews: pd.DataFrame) -> tuple[TrainingExamples, dict[str, Any]]:
        """Return the labelled parts of ``reviews`` (columns ``text`` and ``label``), and facts for the manifest.

        All parts of a review are one group, so each epoch uses one of them. A review without soft labels is used whole,
        with its original label. Raise UnusableSoftLabels if no review has soft labels, or if a part is outside its
        text.
        """
        texts = [clean_characters(text, NEW_MODELS_FORM) for text in reviews["text"]]
        group_by_key = {review_key(text): group for group, text in enumerate(reviews["text"])}
        groups = np.array([group_by_key.get(key, -1) for key in self.labels.keys], np.int64)[self.labels.review]
        used = np.flatnonzero(groups >= 0)
        if not len(used):
            raise UnusableSoftLabels(path=self.source, reason="it labels none of these reviews")
        parts = [texts[groups[row]][self.labels.start[row] : self.labels.end[row]] for row in used]
        if not all(parts):
            raise UnusableSoftLabels(path=self.source, reason="some labelled parts are outside the reviews' texts")
        targets = probabilities(self.labels.logits[used].astype(np.float32), 1.0)
        labelled = TrainingExamples(parts, targets, groups[used].tolist())
        whole = reviews[~np.isin(np.arange(len(reviews)), groups[used])]
        facts = {
            "file": self.source,
            "teacher": self.labels.teacher,
            "digest": self.labels.digest,
            "parts": len(parts),
            "reviews": len(reviews) - len(whole),
            "reviews_without": len(whole),
        }
        if whole.empty:
            return labelled, facts
        return labelled + TrainingExamples.from_labels(whole["text"].tolist(), whole["label"].tolist()), facts
