"""A model whose margin is the sum of the weights of a text's words, with a real tokenizer and real windows."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from ml.serving.artifact import Manifest
from ml.serving.engine import Classifier, Engine, Outputs
from ml.text.tokenization import Reading, WindowTokenizer
from ml.training.base_model import DEFAULT_BASE_MODEL, find_base_model

WEIGHTS = {"slow": -2.0, "boring": -3.0, "wasted": -1.0, "dull": -0.5, "charming": 1.5, "the": 0.3, "not": -2.5}


class WeightedEngine:
    """Computes logits from the weights of a text's words, averaged over its windows, without a review head.

    ``calls`` records the texts.
    """

    review_head = None

    def __init__(self, weights: Mapping[str, float], window: int, reading: Reading) -> None:
        self.tokenizer = WindowTokenizer.read(find_base_model(DEFAULT_BASE_MODEL).folder, window, window // 4, reading)
        self.calls: list[list[str]] = []
        self._weights = weights

    def outputs(self, texts: Sequence[str]) -> Outputs:
        self.calls.append(list(texts))
        counts = np.array([len(self.tokenizer.windows(ids)) for ids in self.tokenizer.token_ids(texts)], np.int64)
        halves = np.array([self._sum(text) for text in texts]) / counts / 2
        return Outputs(np.stack([-halves, halves], axis=1).astype(np.float32), counts, review_scores=None)

    def _sum(self, text: str) -> float:
        return sum(self._weights.get(word.casefold(), 0.0) for word in re.findall(r"[\w'\u2019]+", text))


def weighted_classifier(
    weights: Mapping[str, float] = WEIGHTS, window: int = 128, *, reading: Reading = "whole", version: str = "weights"
) -> tuple[Classifier, WeightedEngine]:
    """Return a published model with these weights, and its engine."""
    engine = WeightedEngine(weights, window, reading)
    manifest = Manifest(version, "", "small", window, window // 4, 1.0, 0.7, {}, {}, {}, {}, [], {})
    return Classifier(cast("Engine", engine), manifest, Path(version)), engine
