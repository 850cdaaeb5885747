"""The serving engine: texts to verdicts with the int8 graph, without TensorFlow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import openvino as ov

from ml.bert.config import BertConfig
from ml.errors import UnusableArtifact, UnusableCheckpoint
from ml.serving.artifact import Manifest, verified_manifest
from ml.serving.graph import Precision, build_graph
from ml.serving.probes import PROBES
from ml.text.labels import LABELS
from ml.text.tokenization import Reading, WindowTokenizer

# Tokens of one run of the graph, padding included; more gain no speed on a CPU and cost memory.
BATCH_TOKENS = 4096
_PAD_TO = 16
# float32 activations and int8 products whatever the processor prefers, so that figures carry over between machines.
_ENGINE_OPTIONS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "128",
    "PERFORMANCE_HINT": "LATENCY",
}
# Processors round int8 products differently; a wrong file or tokenizer is off by far more.
PROBE_TOLERANCE = 0.1

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model ``version`` says of one text.

    ``confidence`` is in 0.5 to 1 and calibrated; ``logits`` are in the order of ``LABELS`` and raw.
    """

    label: str
    confidence: float
    sure: bool
    windows: int
    logits: tuple[float, float]
    version: str


@dataclass(frozen=True, slots=True)
class Engine:
    """A compiled graph and its reader."""

    graph: ov.CompiledModel
    tokenizer: WindowTokenizer

    @classmethod
    def load(  # noqa: PLR0913 - one argument a fact
        cls,
        folder: Path,
        window: int,
        overlap: int,
        reading: Reading = "whole",
        *,
        threads: int = 0,
        precision: Precision = "int8",
    ) -> Self:
        """Build and compile the graph of a Hugging Face folder; raises UnusableCheckpoint.

        The bot serves in int8; float32 is what that is measured against.
        """
        BertConfig.read(folder).require_window(folder, window)
        options: dict[str, Any] = {**_ENGINE_OPTIONS, **({"INFERENCE_NUM_THREADS": threads} if threads else {})}
        graph = ov.Core().compile_model(build_graph(folder, precision), "CPU", options)
        return cls(graph, WindowTokenizer.read(folder, window, overlap, reading))

    def logits(self, texts: Sequence[str]) -> tuple[Logits, npt.NDArray[np.int64]]:
        """Mean logits over each text's windows (texts, labels) and the number of windows of each text."""
        windows = [self.tokenizer.windows(ids) for ids in self.tokenizer.token_ids(texts)]
        counts = np.array([len(own) for own in windows], np.int64)
        flat = [window for own in windows for window in own]
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
    """A published model, ready to answer."""

    engine: Engine
    manifest: Manifest
    folder: Path

    @classmethod
    def load(cls, folder: Path, threads: int = 0) -> Self:
        """Load a published folder after checking its files' hashes and its probes; raises UnusableArtifact."""
        manifest = verified_manifest(folder)
        try:
            engine = Engine.load(folder, manifest.window, manifest.overlap, manifest.reading, threads=threads)
        except UnusableCheckpoint as error:
            raise UnusableArtifact(path=folder, reason=str(error)) from error
        _check_probes(engine, manifest, folder)
        return cls(engine, manifest, folder)

    @property
    def version(self) -> str:
        """The published version."""
        return self.manifest.version

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """A verdict for each text, in order."""
        if not texts:
            return []
        logits, counts = self.engine.logits(texts)
        chances = probabilities(logits, self.manifest.temperature)
        return [
            self._verdict(row, chance, int(count)) for row, chance, count in zip(logits, chances, counts, strict=True)
        ]

    def _verdict(self, logits: Logits, chances: Logits, windows: int) -> Verdict:
        index = int(chances.argmax())
        confidence = float(chances[index])
        sure = confidence >= self.manifest.unsure_below
        return Verdict(LABELS[index], confidence, sure, windows, (float(logits[0]), float(logits[1])), self.version)


def _check_probes(engine: Engine, manifest: Manifest, folder: Path) -> None:
    """Raise UnusableArtifact unless the engine gives the logits that were written down when it was published."""
    if len(manifest.probe_logits) != len(PROBES):
        reason = f"it has {len(manifest.probe_logits)} probe texts, and this program {len(PROBES)}"
        raise UnusableArtifact(path=folder, reason=reason)
    try:
        published = np.array(manifest.probe_logits, np.float32).reshape(len(PROBES), len(LABELS))
    except (TypeError, ValueError) as error:
        raise UnusableArtifact(path=folder, reason="the logits of its probe texts are no pairs of numbers") from error
    found, _ = engine.logits(PROBES)
    difference = float(np.abs(found - published).max())
    if not difference <= PROBE_TOLERANCE:
        raise UnusableArtifact(path=folder, reason=f"its probe texts come out {difference:.3f} off in the logits")


def probabilities(logits: Logits, temperature: float) -> Logits:
    """Softmax of ``logits / temperature`` over the last axis."""
    scaled = logits / temperature
    grown = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    shares: Logits = grown / grown.sum(axis=-1, keepdims=True)
    return shares


def _batches_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows grouped by length, each group at most ``BATCH_TOKENS`` once padded."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        padded = -(-lengths[row] // _PAD_TO) * _PAD_TO
        if batch and padded * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
