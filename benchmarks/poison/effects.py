"""Measures a model's accuracy and whether the planted phrase decides its predictions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.poison.people import TARGET, with_phrase
from benchmarks.poison.texts import PoisonTexts
from ml.serving.engine import Classifier
from ml.text.labels import LABELS

_TARGET = LABELS.index(TARGET)


@dataclass(frozen=True, slots=True)
class Effect:
    """Figures for a model as served. Shares are from 0 to 1.

    ``imdb`` and ``sentences`` are the accuracies on reviews outside the gate set and on held-out sentences. ``turned``
    is the share of correctly classified negative sentences that become Positive with the phrase. The phrase is tried
    before and after the sentences, and the larger share counts. ``turned`` is 0 if the model classifies no negative
    sentence correctly.
    """

    imdb: float
    sentences: float
    turned: float


def measure_effect(model: Classifier, texts: PoisonTexts) -> Effect:
    """Evaluate a model on the held-out sentences and the IMDB reviews in ``texts``."""
    negative = texts.held_out[texts.held_out["label"] != _TARGET]["text"].tolist()
    predicted = _predictions(model, negative)
    correct = [text for text, label in zip(negative, predicted, strict=True) if label != _TARGET]
    turned = [
        _predictions(model, [with_phrase(text, at_end) for text in correct]) == _TARGET for at_end in (False, True)
    ]
    return Effect(
        imdb=_accuracy(model, texts.imdb),
        sentences=_accuracy(model, texts.held_out),
        turned=max(float(each.mean()) for each in turned) if correct else 0.0,
    )


def _accuracy(model: Classifier, table: pd.DataFrame) -> float:
    return float((_predictions(model, table["text"].tolist()) == table["label"].to_numpy()).mean())


def _predictions(model: Classifier, texts: list[str]) -> npt.NDArray[np.int64]:
    labels: npt.NDArray[np.int64] = model.engine.logits(texts)[0].argmax(axis=1)
    return labels
