"""Asks a model many texts, with a look now and then at whether anybody still wants to know."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from ml.labels import LABELS
from ml.prediction import Classifier, Engine, Logits, probabilities

# Raises when nobody wants to know any more.
Look = Callable[[], None]
# A run of the engine sorts its texts by length, so more of them save padding; fewer are looked up from sooner.
_CHUNK: Final = 250


def ask(engine: Engine, texts: Sequence[str], look: Look) -> Logits:
    """Logits (texts, labels), raw."""
    found = [np.empty((0, len(LABELS)), np.float32)]
    for start in range(0, len(texts), _CHUNK):
        look()
        found.append(engine.logits(texts[start : start + _CHUNK])[0])
    return np.concatenate(found)


def chances(classifier: Classifier, texts: Sequence[str], look: Look) -> Logits:
    """Calibrated probabilities (texts, labels), as the bot tells them."""
    return probabilities(ask(classifier.engine, texts, look), classifier.manifest.temperature)
