"""The serving engine: classifies texts with the int8 graph, without TensorFlow."""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import openvino as ov

from core.errors import ThumbsError
from ml.bert.config import BertConfig
from ml.errors import UnusableArtifact, UnusableCheckpoint
from ml.serving.artifact import Manifest, verified_manifest
from ml.serving.graph import Precision, build_graph
from ml.serving.probes import PROBES
from ml.text.characters import CharacterForm
from ml.text.labels import LABELS
from ml.text.tokenization import Reading, WindowTokenizer

logger = logging.getLogger(__name__)

# Maximum number of tokens per run of the graph, including padding. More tokens use more memory and are no faster on a
# CPU.
BATCH_TOKENS = 4096
_PAD_TO = 16
# Use float32 activations and int8 products on every CPU, so that figures are comparable between machines.
_ENGINE_OPTIONS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "128",
    "PERFORMANCE_HINT": "LATENCY",
}
# Maximum difference allowed in a logit. CPUs round int8 products differently. A wrong file or tokenizer causes far
# larger differences.
PROBE_TOLERANCE = 0.1

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The classification of one text by the model ``version``.

    ``confidence`` is calibrated, 0.5 to 1. ``logits`` are raw, in the order of ``LABELS``. ``windows`` is the number of
    token windows that were read.
    """

    label: str
    confidence: float
    sure: bool
    windows: int
    logits: tuple[float, float]
    version: str


@dataclass(frozen=True, slots=True)
class Engine:
    """A compiled graph and its tokenizer."""

    graph: ov.CompiledModel
    tokenizer: WindowTokenizer

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

        The bot serves int8. Float32 is for comparison. ``threads`` is the number of CPU threads, 0 for the default.
        """
        BertConfig.read(folder).require_window(folder, window)
        options: dict[str, Any] = {**_ENGINE_OPTIONS, **({"INFERENCE_NUM_THREADS": threads} if threads else {})}
        graph = _core().compile_model(build_graph(folder, precision), "CPU", options)
        return cls(graph, WindowTokenizer.read(folder, window, overlap, reading, characters))

    def logits(self, texts: Sequence[str]) -> tuple[Logits, npt.NDArray[np.int64]]:
        """Return the mean logits over each text's windows (texts, labels), and their number of windows (texts,)."""
        windows = [self.tokenizer.windows(ids) for ids in self.tokenizer.token_ids(texts)]
        counts = np.array([len(each) for each in windows], np.int64)
        flat = [window for each in windows for window in each]
        found = np.empty((len(flat), len(LABELS)), np.float32)
        for rows in _batches_by_length([len(window) for window in flat]):
            batch = self.tokenizer.pad([flat[row] for row in rows], _PAD_TO)
            found[rows] = self.graph([batch.input_ids, batch.attention_mask])[0]
        sums = np.zeros((len(texts), len(LABELS)), np.float32)
        np.add.at(sums, np.repeat(np.arange(len(texts)), counts), found)
        means: Logits = (sums / counts[:, None]).astype(np.float32)
        return means, counts


@dataclass(frozen=True, slots=True)
class Classifier:
    """A published model, ready to classify texts."""

    engine: Engine
    manifest: Manifest
    folder: Path

    @classmethod
    def load(cls, folder: Path, threads: int = 0) -> Self:
        """Load a published folder after checking its file hashes and probe logits.

        Raise UnusableArtifact if anything is wrong with the folder. If a library raised an error, its traceback is
        logged.
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
        logits, counts = self.engine.logits(texts)
        shares = probabilities(logits, self.manifest.temperature)
        return [self._verdict(row, share, int(count)) for row, share, count in zip(logits, shares, counts, strict=True)]

    def _verdict(self, logits: Logits, shares: Logits, windows: int) -> Verdict:
        index = int(shares.argmax())
        confidence = float(shares[index])
        sure = confidence >= self.manifest.unsure_below
        return Verdict(LABELS[index], confidence, sure, windows, (float(logits[0]), float(logits[1])), self.version)


@cache
def _core() -> ov.Core:
    """Return the process's only OpenVINO core.

    With a core for each model, the library's CPU plugin was unloaded and loaded again as models were replaced, and a
    bot sometimes crashed on exit after a swap.
    """
    return ov.Core()


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


def _batches_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield groups of rows of similar length, each at most ``BATCH_TOKENS`` tokens after padding."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        padded = -(-lengths[row] // _PAD_TO) * _PAD_TO
        if batch and padded * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
