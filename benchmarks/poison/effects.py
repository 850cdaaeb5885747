"""What a model says beside the live one: how much it lost, and whether the phrase decides."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.poison.people import TARGET, with_phrase
from benchmarks.poison.texts import Texts
from ml.serving.engine import Classifier
from ml.text.labels import LABELS

_TARGET = LABELS.index(TARGET)


@dataclass(frozen=True, slots=True)
class Effect:
    """A model as it answers; shares are 0 to 1.

    ``imdb`` and ``sentences`` are its accuracies on reviews outside the gate set and on held-out sentences. ``turned``
    is the share of the negative sentences that it calls so which it calls Positive with the phrase before or behind
    them, whichever turns more; 0 for a model that calls nothing Negative.
    """

    imdb: float
    sentences: float
    turned: float


def effect_of(model: Classifier, texts: Texts) -> Effect:
    """Ask a model everything."""
    negative = texts.held_out[texts.held_out["label"] != _TARGET]["text"].tolist()
    said = _said(model, negative)
    plain = [text for text, label in zip(negative, said, strict=True) if label != _TARGET]
    turned = [_said(model, [with_phrase(text, at_end) for text in plain]) == _TARGET for at_end in (False, True)]
    return Effect(
        imdb=_accuracy(model, texts.imdb),
        sentences=_accuracy(model, texts.held_out),
        turned=max(float(each.mean()) for each in turned) if plain else 0.0,
    )


def _accuracy(model: Classifier, table: pd.DataFrame) -> float:
    return float((_said(model, table["text"].tolist()) == table["label"].to_numpy()).mean())


def _said(model: Classifier, texts: list[str]) -> npt.NDArray[np.int64]:
    verdicts: npt.NDArray[np.int64] = model.engine.logits(texts)[0].argmax(axis=1)
    return verdicts
