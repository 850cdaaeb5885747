"""GELU in one pass over memory instead of one an operation.

TensorFlow writes the result of each operation to memory and reads it again, which on a processor takes longer than the
arithmetic. XLA writes the last result alone. It is worth that only around what holds no matrix product and no random
number: both are slower by XLA on a processor. The other Keras backends compile the whole step, and so does TensorFlow
on a GPU.
"""

from collections.abc import Callable
from functools import cache
from math import pi, sqrt
from typing import Any

import keras
from keras import ops


def gelu(values: Any) -> Any:
    """Exact GELU (Hendrycks and Gimpel 2016) of a tensor, in its type; computed in float32, as is its gradient."""
    return _gelu_with_gradient()(values)


@cache
def _gelu_with_gradient() -> Callable[[Any], Any]:
    """Both directions, made once, so that every layer shares what is compiled."""
    forwards, backwards = _compiled_by_xla(_gelu), _compiled_by_xla(_gelu_gradient)

    def gelu_and_gradient(values: Any) -> tuple[Any, Callable[..., Any]]:
        return forwards(values), lambda upstream: backwards(values, upstream)

    both: Callable[[Any], Any] = ops.custom_gradient(gelu_and_gradient)
    return both


def _compiled_by_xla(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of tensors, compiled by XLA once for each shape that it meets."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf  # noqa: PLC0415 - the other Keras backends work without TensorFlow

    compiled: Callable[..., Any] = tf.function(function, jit_compile=True)
    return compiled


def _gelu(values: Any) -> Any:
    exact = ops.cast(values, "float32")
    return ops.cast(exact * _normal_cdf(exact), values.dtype)


def _gelu_gradient(values: Any, upstream: Any) -> Any:
    exact = ops.cast(values, "float32")
    density = ops.exp(-0.5 * exact * exact) / sqrt(2 * pi)
    slope = _normal_cdf(exact) + exact * density
    return ops.cast(ops.cast(upstream, "float32") * slope, values.dtype)


def _normal_cdf(exact: Any) -> Any:
    """The share of a normal distribution that lies below each value."""
    return 0.5 * (1.0 + ops.erf(exact / sqrt(2)))
