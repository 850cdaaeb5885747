"""Compiles graphs for the CPU, and runs them on texts' windows."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov

from ml.text.tokenization import WindowTokenizer

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
Values = npt.NDArray[np.float32]


def compile_graph(graph: ov.Model, threads: int = 0) -> ov.CompiledModel:
    """Compile a graph. ``threads`` is the number of CPU threads, or 0 for the default."""
    options: dict[str, Any] = {**_ENGINE_OPTIONS, **({"INFERENCE_NUM_THREADS": threads} if threads else {})}
    return _core().compile_model(graph, "CPU", options)


def window_means(
    graph: ov.CompiledModel, tokenizer: WindowTokenizer, texts: Sequence[Sequence[int]]
) -> tuple[list[Values], npt.NDArray[np.int64]]:
    """Return each output's mean over each text's windows (texts, size), and the number of windows (texts,).

    The texts are given as token ids without special tokens.
    """
    windows = [tokenizer.windows(ids) for ids in texts]
    counts = np.array([len(each) for each in windows], np.int64)
    flat = [window for each in windows for window in each]
    rows, results = list[int](), list[tuple[Values, ...]]()
    for batch_rows in _batches_by_length([len(window) for window in flat]):
        batch = tokenizer.pad([flat[row] for row in batch_rows], _PAD_TO)
        outputs = graph([batch.input_ids, batch.attention_mask])
        results.append(tuple(np.array(outputs[each]).reshape(len(batch_rows), -1) for each in graph.outputs))
        rows.extend(batch_rows)
    order, owners = np.argsort(rows), np.repeat(np.arange(len(texts)), counts)
    return [_means(np.concatenate(output)[order], owners, counts) for output in zip(*results, strict=True)], counts


def _means(values: Values, owners: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> Values:
    """Average the rows of ``values`` (windows, size) that have the same owner."""
    sums = np.zeros((len(counts), values.shape[1]), np.float32)
    np.add.at(sums, owners, values)
    means: Values = (sums / counts[:, None]).astype(np.float32)
    return means


@cache
def _core() -> ov.Core:
    """Return the OpenVINO core that all models in this process share.

    When each model had a separate core, replacing a model unloaded and reloaded the library's CPU plugin, and the bot
    sometimes crashed on exit after a swap.
    """
    return ov.Core()


def _batches_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield groups of rows of similar length. A group has at most ``BATCH_TOKENS`` tokens after padding."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        padded = -(-lengths[row] // _PAD_TO) * _PAD_TO
        if batch and padded * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
