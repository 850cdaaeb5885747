"""Runs a model on many texts in chunks, so that a caller can show progress or cancel in between."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import numpy as np

from ml.serving.engine import Classifier, Engine, Logits, probabilities
from ml.text.labels import LABELS

# A function that is called with 0 before the first chunk, and with the chunk's number of texts after each chunk. It
# raises an error to cancel.
Advance = Callable[[int], object]
# The engine sorts the texts in a call by length, so larger chunks save padding. Smaller ones cancel sooner.
CHUNK: Final = 250


class Phases(Protocol):
    """Follows the phases of a long task. In each phase, the task processes a number of texts."""

    def begin(self, phase: str, texts: int) -> None:
        """Begin a phase with ``texts`` texts, or with an unknown number of texts if ``texts`` is 0."""

    def advance(self, texts: int) -> None:
        """Record that the phase has processed ``texts`` more texts.

        Raise an error to cancel the task. This method can be used as an ``Advance``.
        """


class Unobserved:
    """Phases that nobody follows."""

    def begin(self, phase: str, texts: int) -> None:
        """Do nothing."""

    def advance(self, texts: int) -> None:
        """Do nothing."""


def logits_in_chunks(engine: Engine, texts: Sequence[str], advance: Advance) -> Logits:
    """Return the raw logits, float32 of shape (texts, labels)."""
    found = [np.empty((0, len(LABELS)), np.float32)]
    advance(0)
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        found.append(engine.logits(chunk)[0])
        advance(len(chunk))
    return np.concatenate(found)


def probabilities_in_chunks(classifier: Classifier, texts: Sequence[str], advance: Advance) -> Logits:
    """Return calibrated probabilities, float32 of shape (texts, labels), as the bot shows them."""
    return probabilities(logits_in_chunks(classifier.engine, texts, advance), classifier.manifest.temperature)
