"""Measures the fine-tuning speed on a GPU, in texts per second and as a share of the GPU's peak rate.

    KERAS_BACKEND=jax python -m benchmarks.training.gpu --peak 989 --out benchmarks/results/gpu.json

The timed steps are complete steps of ``ml.training.loop.train`` (forward, backward, clipping, AdamW, reading the loss)
on random token ids without padding. The networks have random weights. One is BERT-base, and the other has the starter's
size. ``--peak`` is the chip's dense bfloat16 rate in TFLOP/s according to its data sheet. The rate of one large matrix
product is also measured.

Each multiplication and addition counts as two operations. A block has four projections, two feed-forward products and
two attention products. Each product counts three times, because the backward pass takes twice as many operations as the
forward pass. In the last block, only keys and values are computed for all tokens. Everything else is computed for the
first token only. Embeddings and the optimiser are not counted.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import keras
import numpy as np

from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.training.job import RecordedBatches
from ml.bert.config import BertConfig
from ml.bert.network import build_network
from ml.training.checkpoint import Checkpoint, plan_digest
from ml.training.devices import use_precision
from ml.training.loop import TrainingCallbacks, TrainingProgress, train
from ml.training.recipe import Recipe

_NETWORKS = {
    "BERT-base": BertConfig(),
    "the starter's size": BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    ),
}
_TOKENS = 128
_BATCHES = (32, 128, 512)
# Number of untimed steps, in which the step is compiled, and number of timed steps. No checkpoint is written in so few
# steps.
_UNTIMED, _TIMED = 5, 40
_PRODUCT_SIZE = 8192


@dataclass(frozen=True, slots=True)
class NetworkSpeed:
    """One network at one batch size. ``step_seconds`` is the median. Shares are from 0 to 1."""

    network: str
    parameters: int
    batch: int
    step_seconds: float
    samples_per_second: float
    teraflops: float
    share_of_peak: float
    share_of_product: float


@dataclass(frozen=True, slots=True)
class GpuReport:
    """The content of ``benchmarks/results/gpu.json``. Rates are in TFLOP/s."""

    provenance: Provenance
    gpu: str
    backend: str
    precision: str
    tokens: int
    peak: float
    product: float
    """Measured rate for the product of two bfloat16 matrices with 8,192 rows and columns."""
    speeds: list[NetworkSpeed]


def main() -> None:
    """Measure, write and print the results."""
    arguments = _arguments()
    speeds: list[NetworkSpeed] = []
    product = _product_rate()
    with use_precision("fastest") as precision:
        for name, config in _NETWORKS.items():
            for batch in _BATCHES:
                speeds.append(_measure_speed(name, config, batch, arguments.peak, product))
                print(json.dumps(asdict(speeds[-1])), flush=True)
    backend = keras.backend.backend()
    packages = ("keras", backend, "numpy")
    where = provenance(*packages, commit=arguments.commit)
    report = GpuReport(where, _gpu_name(), backend, precision, _TOKENS, arguments.peak, product, speeds)
    write_results(arguments.out, report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.gpu", description="Measure fine-tuning on a GPU."
    )
    parser.add_argument("--peak", type=float, required=True, help="dense bfloat16 TFLOP/s according to the data sheet")
    parser.add_argument("--commit", help="commit of the code, if this copy has no git history")
    add_out_option(parser, "gpu")
    return parser.parse_args()


def operations_per_text(config: BertConfig, tokens: int) -> float:
    """Return the number of operations in a training step on one text with ``tokens`` tokens."""
    hidden, inner = config.hidden_size, config.intermediate_size
    keys_and_values, rest = 2 * hidden**2, 2 * hidden**2 + 2 * hidden * inner
    attention = 2 * tokens * hidden
    block = tokens * (keys_and_values + rest + attention)
    last = tokens * keys_and_values + rest + attention
    return 3 * 2 * float((config.num_hidden_layers - 1) * block + last)


def _measure_speed(name: str, config: BertConfig, batch: int, peak: float, product: float) -> NetworkSpeed:
    network = build_network(config)
    parameters = network.count_params()
    seconds = median(_step_seconds(network, config, batch))
    rate = batch * operations_per_text(config, _TOKENS) / seconds / 1e12
    return NetworkSpeed(name, parameters, batch, seconds, batch / seconds, rate, rate / peak, rate / product)


def _step_seconds(network: keras.Model, config: BertConfig, batch: int) -> Sequence[float]:
    rng = np.random.default_rng(0)
    steps = _UNTIMED + _TIMED
    batches: list[tuple[dict[str, Any], Any]] = [
        (
            {
                "input_ids": rng.integers(1000, config.vocab_size, (batch, _TOKENS), dtype=np.int32),
                "attention_mask": np.ones((batch, _TOKENS), np.int32),
            },
            np.eye(2, dtype=np.float32)[rng.integers(2, size=batch)],
        )
        for _ in range(steps)
    ]
    recipe = replace(Recipe.load("default"), epochs=1, batch_size=batch)
    times: list[float] = []

    def report(_: TrainingProgress) -> None:
        times.append(perf_counter())

    with TemporaryDirectory() as folder:
        state = Checkpoint(Path(folder), plan_digest())
        train(network, RecordedBatches(batches, recipe), state, False, TrainingCallbacks(report, lambda: False))
    return np.diff(times[_UNTIMED:]).tolist()


def _product_rate() -> float:
    size = (_PRODUCT_SIZE, _PRODUCT_SIZE)
    first, second = (keras.ops.cast(keras.random.normal(size, seed=seed), "bfloat16") for seed in (1, 2))
    times = []
    for _ in range(20):
        start = perf_counter()
        float(keras.ops.matmul(first, second)[0, 0])
        times.append(perf_counter() - start)
    return float(2 * _PRODUCT_SIZE**3 / median(times[5:]) / 1e12)


def _gpu_name() -> str:
    if keras.backend.backend() == "jax":
        import jax  # noqa: PLC0415 - only one of the two backends is installed

        return str(jax.devices()[0].device_kind)
    import tensorflow as tf  # noqa: PLC0415

    gpus = tf.config.list_physical_devices("GPU")
    return str(tf.config.experimental.get_device_details(gpus[0])["device_name"]) if gpus else "none"


if __name__ == "__main__":
    main()
