"""What a fine-tune computes on, and in which precision: the processor, one GPU, or several with a copy each.

On a GPU this has run with Keras's JAX backend (``KERAS_BACKEND=jax``), see ``benchmarks.training.gpu``. Not run on one
so far: TensorFlow's growing memory and XLA, and copies on several GPUs, which are tested on two logical processors.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ml.training.batches import NetworkInputs
from ml.training.training_set import Targets


@contextmanager
def use_precision(precision: str) -> Iterator[str]:
    """Networks built inside compute in ``precision``, weights in float32, with a copy on each of several GPUs.

    Yields the precision, which for "fastest" is bfloat16 where that is multiplied in hardware.
    """
    gpus = _gpus()
    if precision == "fastest":
        precision = "bfloat16" if gpus or _has_bfloat16_units() else "float32"
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        with _replica_scope(gpus):
            yield precision
    finally:
        keras.config.set_dtype_policy(before)


def should_jit_compile() -> bool:
    """Whether steps are worth compiling with XLA.

    On a processor TensorFlow takes half a minute for it and gets no faster; JAX is made for it everywhere.
    """
    return keras.backend.backend() == "jax" or bool(_gpus())


def train_step(network: keras.Model, inputs: NetworkInputs, targets: Targets) -> float:
    """Train a compiled network on one batch, shared out among its copies; the mean loss.

    Parts that differ by a row, where a batch does not divide, weigh the same.
    """
    strategy = getattr(network, "distribute_strategy", None)
    copies = strategy.num_replicas_in_sync if strategy else 1
    # A copy without a row would have no loss, so a last batch of fewer rows goes to each of them.
    if copies == 1 or len(targets) < copies:
        return float(network.train_on_batch(inputs, targets))
    network.make_train_function()
    network.reset_metrics()
    shared = {name: _distribute(strategy, values) for name, values in inputs.items()}
    found = network.train_function(iter([(shared, _distribute(strategy, targets))]))
    return float(found["loss"])


def _distribute(strategy: Any, values: Any) -> Any:
    """Rows of ``values`` as one value with a part for each copy."""
    parts = np.array_split(values, strategy.num_replicas_in_sync)
    return strategy.experimental_distribute_values_from_function(
        lambda copy: keras.ops.convert_to_tensor(parts[copy.replica_id_in_sync_group])
    )


def _gpus() -> list[Any]:
    """The GPUs that Keras's backend sees, told to take memory as they need it."""
    if keras.backend.backend() == "jax":
        return _jax_gpus()
    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf  # noqa: PLC0415 - the other Keras backends work without TensorFlow

    gpus: list[Any] = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    return gpus


def _jax_gpus() -> list[Any]:
    # Read when JAX first looks for devices; without it, JAX takes three quarters of a GPU's memory at once.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax  # noqa: PLC0415 - the other Keras backends work without JAX

    return [device for device in jax.devices() if device.platform == "gpu"]


def _replica_scope(gpus: list[Any]) -> Any:
    """The scope in which a network gets a copy on each of several GPUs; with JAX it stays on the first."""
    if len(gpus) < 2 or keras.backend.backend() != "tensorflow":
        return nullcontext()
    import tensorflow as tf  # noqa: PLC0415 - the other Keras backends work without TensorFlow

    return tf.distribute.MirroredStrategy().scope()


def _has_bfloat16_units() -> bool:
    """Whether the processor multiplies bfloat16 in hardware: with AMX, or with AVX-512."""
    processor = Path("/proc/cpuinfo")
    return processor.is_file() and "_bf16" in processor.read_text(encoding="utf-8")
