"""Chooses the device and precision for a fine-tune: the CPU, one GPU, or several GPUs with one replica on each.

Keras's JAX backend (``KERAS_BACKEND=jax``) has been run on a GPU (see ``benchmarks.training.gpu``). TensorFlow's memory
growth and XLA have not been run on a GPU yet. Replicas on several GPUs have been tested only on two logical CPUs.
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
    """Within the block, build networks for ``precision``, with float32 weights and one replica per GPU.

    Yield the precision. "fastest" becomes bfloat16 if the hardware multiplies it natively, and float32 otherwise.
    """
    gpus = find_gpus()
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
    """Return whether to compile training steps with XLA.

    On a CPU, TensorFlow takes half a minute to compile but doesn't get any faster. JAX is designed to use XLA
    everywhere.
    """
    return keras.backend.backend() == "jax" or bool(find_gpus())


def train_step(network: keras.Model, inputs: NetworkInputs, targets: Targets) -> float:
    """Train a compiled network on one batch, divided among its replicas, and return the mean loss.

    If the batch does not divide evenly, some replicas get one row more than others, but all have the same weight.
    """
    strategy = getattr(network, "distribute_strategy", None)
    replicas = strategy.num_replicas_in_sync if strategy else 1
    # A replica without a row would have no loss, so if a batch is too small, every replica gets all of it.
    if replicas == 1 or len(targets) < replicas:
        return float(network.train_on_batch(inputs, targets))
    network.make_train_function()
    network.reset_metrics()
    distributed = {name: _distribute(strategy, values) for name, values in inputs.items()}
    metrics = network.train_function(iter([(distributed, _distribute(strategy, targets))]))
    return float(metrics["loss"])


def _distribute(strategy: Any, values: Any) -> Any:
    """Return a distributed value that gives each replica a part of the rows in ``values``."""
    parts = np.array_split(values, strategy.num_replicas_in_sync)
    return strategy.experimental_distribute_values_from_function(
        lambda context: keras.ops.convert_to_tensor(parts[context.replica_id_in_sync_group])
    )


def find_gpus() -> list[Any]:
    """Return the GPUs that Keras's backend sees, configured to allocate memory as needed."""
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
    # JAX reads this variable when it first lists devices. By default, JAX allocates three quarters of a GPU's memory.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax  # noqa: PLC0415 - the other Keras backends work without JAX

    return [device for device in jax.devices() if device.platform == "gpu"]


def _replica_scope(gpus: list[Any]) -> Any:
    """Return a scope in which a network gets a replica on each of several GPUs. JAX uses only the first GPU."""
    if len(gpus) < 2 or keras.backend.backend() != "tensorflow":
        return nullcontext()
    import tensorflow as tf  # noqa: PLC0415 - the other Keras backends work without TensorFlow

    return tf.distribute.MirroredStrategy().scope()


def _has_bfloat16_units() -> bool:
    """Return whether the CPU multiplies bfloat16 in hardware, with AMX or AVX-512."""
    cpu_info = Path("/proc/cpuinfo")
    return cpu_info.is_file() and "_bf16" in cpu_info.read_text(encoding="utf-8")
