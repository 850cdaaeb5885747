"""Computes the features that review heads are fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import openvino as ov

from ml.serving.graph import build_feature_graph
from ml.serving.runtime import compile_graph, window_means
from ml.text.tokenization import WindowTokenizer


@dataclass(frozen=True, slots=True)
class FeatureExtractor:
    """A compiled graph for the features that review heads are fitted on, and its tokenizer."""

    graph: ov.CompiledModel
    tokenizer: WindowTokenizer

    @classmethod
    def load(cls, folder: Path, tokenizer: WindowTokenizer, layer: int) -> Self:
        """Build and compile the first ``layer`` blocks of the model in a folder, or raise UnusableCheckpoint."""
        return cls(compile_graph(build_feature_graph(folder, layer)), tokenizer)

    def features(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the mean hidden state of each text (texts, hidden size), averaged over its windows."""
        (features,), _ = window_means(self.graph, self.tokenizer, self.tokenizer.token_ids(texts))
        return features
