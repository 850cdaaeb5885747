"""GELU in one pass over memory instead of one pass per operation.

TensorFlow writes the result of each operation to memory and reads it back, which takes longer on a CPU than the
arithmetic. XLA fuses the operations and writes only the final result. On a CPU, XLA slows down matrix products and
random number generation, so it pays off only for code without either. The other Keras backends compile the whole
training step, as does TensorFlow on a GPU.
"""

from collections.abc import Callable
from functools import cache
from math import pi, sqrt
from typing import Any

import keras
from keras import ops


def gelu(values: Any) -> Any:
    """Return the exact GELU (Hendrycks and Gimpel 2016) in the tensor's dtype. The value and gradient use float32."""
    return _gelu_with_gradient()(values)


@cache
def _gelu_with_gradient() -> Callable[[Any], Any]:
    """Return GELU with its custom gradient, created once so that every layer shares the compiled code."""
    forward, backward = _compiled_by_xla(_gelu), _compiled_by_xla(_gelu_gradient)

    def gelu_and_gradient(values: Any) -> tuple[Any, Callable[..., Any]]:
        return forward(values), lambda upstream: backward(values, upstream)

    function: Callable[[Any], Any] = ops.custom_gradient(gelu_and_gradient)
    return function


def _compiled_by_xla(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function``, compiled by XLA once per input shape. On other backends, return it unchanged."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf  # noqa: PLC0415 - the other Keras backends work without TensorFlow

    compiled: Callable[..., Any] = tf.function(function, jit_compile=True)
    return compiled


def _gelu(values: Any) -> Any:
    x = ops.cast(values, "float32")
    return ops.cast(x * _normal_cdf(x), values.dtype)


def _gelu_gradient(values: Any, upstream: Any) -> Any:
    x = ops.cast(values, "float32")
    density = ops.exp(-0.5 * x * x) / sqrt(2 * pi)
    slope = _normal_cdf(x) + x * density
    return ops.cast(ops.cast(upstream, "float32") * slope, values.dtype)


def _normal_cdf(values: Any) -> Any:
    """Return the cumulative distribution function of the standard normal distribution."""
    return 0.5 * (1.0 + ops.erf(values / sqrt(2)))
