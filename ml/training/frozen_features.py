"""Computes vectors for texts with a published model's frozen encoder, so that heads can be fitted on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ml.serving.chunked import CHUNK, Advance
from ml.serving.engine import Classifier, Logits
from ml.serving.graph import build_vector_graph
from ml.serving.runtime import compile_graph, window_means

# Positive examples of one label are told apart by a margin: the logit of Positive minus the logit of Negative.
Margins = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
_SMALLEST_DEVIATION: Final = 1e-6


@dataclass(frozen=True, slots=True)
class FrozenFeatures:
    """An encoder's outputs for texts: its ``logits`` (texts, labels) and its ``vectors`` (texts, numbers)."""

    logits: Logits
    vectors: Features

    @property
    def margins(self) -> Margins:
        """The encoder's own margins (texts,): positive if it predicts Positive."""
        margins: Margins = self.logits[:, 1].astype(np.float64) - self.logits[:, 0]
        return margins

    def standardised(self) -> Features:
        """Return inputs for a head (texts, numbers + 1): the standardised vectors, and a constant.

        A standardised vector has a squared length of about 1. With this scale, the spread of a head's weights equals
        the spread of its corrections, in logits.
        """
        deviations = np.maximum(self.vectors.std(axis=0), _SMALLEST_DEVIATION)
        scaled = (self.vectors - self.vectors.mean(axis=0)) / (deviations * np.sqrt(self.vectors.shape[1]))
        return np.hstack([scaled, np.ones((len(scaled), 1), np.float32)]).astype(np.float32)


def read_features(model: Classifier, texts: Sequence[str], threads: int, advance: Advance) -> FrozenFeatures:
    """Read each text once with the model's encoder, on ``threads`` CPU threads (0 lets the engine choose).

    The vectors are the first token's vector and the mean of all tokens' vectors, after each of the upper blocks,
    averaged over the text's windows. Raise UnusableCheckpoint if the model's weights cannot be read.
    """
    graph = compile_graph(build_vector_graph(model.folder), threads)
    advance(0)
    logits, vectors = [], []
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        (chunk_logits, chunk_vectors), _ = window_means(graph, model.engine.tokenizer, chunk)
        logits.append(chunk_logits)
        vectors.append(chunk_vectors)
        advance(len(chunk))
    return FrozenFeatures(np.concatenate(logits), np.concatenate(vectors))
