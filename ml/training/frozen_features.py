"""Computes vectors for texts with a published model's frozen encoder, so that heads can be fitted on them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import openvino as ov

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


@dataclass(slots=True)
class FrozenEncoder:
    """A published ``model`` that reads each text at most once, on ``threads`` CPU threads (0 lets the engine choose).

    A round needs the same texts several times: to choose the replay, to start from a head, and to fit the fold models.
    """

    model: Classifier
    threads: int = 0
    _rows: dict[str, tuple[Logits, Features]] = field(default_factory=dict, init=False)
    _graph: ov.CompiledModel | None = field(default=None, init=False)

    def read(self, texts: Sequence[str], advance: Advance) -> FrozenFeatures:
        """Return the logits and the vectors of the texts. ``advance`` counts all texts, also those read before.

        The vectors are the first token's vector and the mean of all tokens' vectors, after each of the upper blocks,
        averaged over the text's windows. Raise UnusableCheckpoint if the model's weights cannot be read.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._rows]
        tokenizer = self.model.engine.tokenizer
        advance(0)
        advance(len(texts) - len(new))
        for start in range(0, len(new), CHUNK):
            chunk = new[start : start + CHUNK]
            (logits, vectors), _ = window_means(self._compiled(), tokenizer, tokenizer.token_ids(chunk))
            self._rows.update(zip(chunk, zip(logits, vectors, strict=True), strict=True))
            advance(len(chunk))
        rows = [self._rows[text] for text in texts]
        return FrozenFeatures(np.stack([logits for logits, _ in rows]), np.stack([vectors for _, vectors in rows]))

    def _compiled(self) -> ov.CompiledModel:
        if self._graph is None:
            self._graph = compile_graph(build_vector_graph(self.model.folder), self.threads)
        return self._graph
