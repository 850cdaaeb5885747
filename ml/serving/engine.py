"""The serving engine: classifies texts with the int8 graph, without TensorFlow."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import openvino as ov

from core.errors import ThumbsError
from ml.bert.config import BertConfig
from ml.errors import UnusableArtifact, UnusableCheckpoint
from ml.serving.artifact import Manifest, verified_manifest
from ml.serving.graph import Precision, build_graph
from ml.serving.probes import PROBES
from ml.serving.review_head import ReviewHead
from ml.serving.runtime import compile_graph, window_means
from ml.text.characters import CharacterForm
from ml.text.labels import LABELS
from ml.text.tokenization import Reading, WindowTokenizer
from ml.text.word_counts import WordCounter, WordCounts

logger = logging.getLogger(__name__)

# Maximum difference allowed in a logit. CPUs round int8 products differently. A wrong file or tokenizer causes far
# larger differences.
PROBE_TOLERANCE = 0.1

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The classification of one text by the model with this ``version``.

    ``confidence`` (0.5 to 1) is calibrated. ``logits`` are raw, in the order of ``LABELS``. ``windows`` is the number
    of token windows that were read. ``is_review`` is False if the text does not read like a review. The label of such a
    text means little. ``counts`` are the text's numbers of words, or None if nobody counted them.
    """

    label: str
    confidence: float
    sure: bool
    windows: int
    logits: tuple[float, float]
    version: str
    is_review: bool = True
    counts: WordCounts | None = None


@dataclass(frozen=True, slots=True)
class Outputs:
    """An engine's outputs: mean logits over each text's windows (texts, labels), and numbers of windows (texts,).

    ``review_scores`` (texts,) are the review head's scores, also averaged over windows, or None if there is no head.
    ``counts`` are the numbers of words in each text, or None if the engine doesn't count them.
    """

    logits: Logits
    windows: npt.NDArray[np.int64]
    review_scores: npt.NDArray[np.float32] | None
    counts: Sequence[WordCounts] | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """A compiled graph and its tokenizer."""

    graph: ov.CompiledModel
    tokenizer: WindowTokenizer
    review_head: ReviewHead | None
    word_counter: WordCounter

    @classmethod
    def load(  # noqa: PLR0913 - one argument for each setting
        cls,
        folder: Path,
        window: int,
        overlap: int,
        reading: Reading = "whole",
        *,
        characters: CharacterForm = "as_written",
        threads: int = 0,
        precision: Precision = "int8",
    ) -> Self:
        """Build and compile the graph for the model in a Hugging Face folder, or raise UnusableCheckpoint.

        The bot uses int8, and float32 is only for comparison. ``threads`` is the number of CPU threads, or 0 for the
        default.
        """
        BertConfig.read(folder).require_window(folder, window)
        head = ReviewHead.read(folder)
        graph = compile_graph(build_graph(folder, precision, head), threads)
        tokenizer = WindowTokenizer.read(folder, window, overlap, reading, characters)
        return cls(graph, tokenizer, head, WordCounter.of(tokenizer))

    def logits(self, texts: Sequence[str]) -> tuple[Logits, npt.NDArray[np.int64]]:
        """Return the mean logits over each text's windows (texts, labels), and the number of windows (texts,)."""
        outputs = self.outputs(texts)
        return outputs.logits, outputs.windows

    def outputs(self, texts: Sequence[str]) -> Outputs:
        """Run the graph on each text's windows."""
        if not texts:
            return Outputs(np.empty((0, len(LABELS)), np.float32), np.empty(0, np.int64), None, [])
        ids = self.tokenizer.token_ids(texts)
        found, windows = window_means(self.graph, self.tokenizer, ids)
        scores = found[1][:, 0] if self.review_head else None
        return Outputs(found[0], windows, scores, self.word_counter.count(ids))


@dataclass(frozen=True, slots=True)
class Classifier:
    """A published model, ready to classify texts."""

    engine: Engine
    manifest: Manifest
    folder: Path

    @classmethod
    def load(cls, folder: Path, threads: int = 0) -> Self:
        """Load a published folder after checking its file hashes and probe logits.

        Raise UnusableArtifact if anything is wrong with the folder. If a library raises an error, log its traceback.
        """
        try:
            return cls._load(folder, threads)
        except UnusableCheckpoint as error:
            raise UnusableArtifact(path=folder, reason=str(error)) from error
        except ThumbsError:
            raise
        # The libraries that read the files may raise any exception, even a plain Exception.
        except Exception as error:
            # This is not a warning, because commands print warnings and must not print tracebacks.
            logger.info("Loading the model at %s failed", folder, exc_info=True)
            message = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")
            raise UnusableArtifact(path=folder, reason=f"loading it failed with {message}") from error

    @classmethod
    def _load(cls, folder: Path, threads: int) -> Self:
        manifest = verified_manifest(folder)
        if not (0 < manifest.temperature < math.inf and 0 <= manifest.unsure_below <= 1):
            raise UnusableArtifact(path=folder, reason="its temperature or its confidence bound is out of range")
        engine = Engine.load(
            folder,
            manifest.window,
            manifest.overlap,
            manifest.reading,
            characters=manifest.characters,
            threads=threads,
        )
        _check_probes(engine, manifest, folder)
        return cls(engine, manifest, folder)

    @property
    def version(self) -> str:
        """The published model's version."""
        return self.manifest.version

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """Return a verdict for each text, in order."""
        if not texts:
            return []
        outputs = self.engine.outputs(texts)
        shares = probabilities(outputs.logits, self.manifest.temperature)
        reviews = self._are_reviews(outputs)
        counts: Sequence[WordCounts | None] = outputs.counts or [None] * len(texts)
        rows = zip(outputs.logits, shares, outputs.windows, reviews, counts, strict=True)
        return [
            self._verdict(logits, share, int(windows), review, words) for logits, share, windows, review, words in rows
        ]

    def _are_reviews(self, outputs: Outputs) -> list[bool]:
        head = self.engine.review_head
        if head is None or outputs.review_scores is None:
            return [True] * len(outputs.windows)
        return [bool(score >= head.threshold) for score in outputs.review_scores]

    def _verdict(
        self, logits: Logits, shares: Logits, windows: int, is_review: bool, counts: WordCounts | None
    ) -> Verdict:
        index = int(shares.argmax())
        confidence = float(shares[index])
        sure = confidence >= self.manifest.unsure_below
        pair = (float(logits[0]), float(logits[1]))
        return Verdict(LABELS[index], confidence, sure, windows, pair, self.version, is_review, counts)


def _check_probes(engine: Engine, manifest: Manifest, folder: Path) -> None:
    """Raise UnusableArtifact unless the engine reproduces the probe logits recorded at publication."""
    if len(manifest.probe_logits) != len(PROBES):
        reason = f"it has {len(manifest.probe_logits)} probe texts, but this program has {len(PROBES)}"
        raise UnusableArtifact(path=folder, reason=reason)
    try:
        published = np.array(manifest.probe_logits, np.float32).reshape(len(PROBES), len(LABELS))
    except (TypeError, ValueError) as error:
        raise UnusableArtifact(path=folder, reason="the logits of its probe texts are not pairs of numbers") from error
    found, _ = engine.logits(PROBES)
    difference = float(np.abs(found - published).max())
    if not difference <= PROBE_TOLERANCE:
        raise UnusableArtifact(path=folder, reason=f"the logits of its probe texts are off by {difference:.3f}")


def probabilities(logits: Logits, temperature: float) -> Logits:
    """Return the softmax of ``logits / temperature`` over the last axis."""
    scaled = logits / temperature
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    shares: Logits = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return shares
