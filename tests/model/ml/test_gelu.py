"""The fused GELU equals Keras's GELU in the forward and backward passes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ml.bert.gelu import gelu

VALUES = np.linspace(-12, 12, 4803, dtype=np.float32).reshape(3, -1)


def forward_and_backward(function: object, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return a function's values and three times its derivative."""
    assert callable(function)
    with tf.GradientTape() as tape:
        tape.watch(values)
        found = function(values)
    return found, tape.gradient(found, values, output_gradients=3 * tf.ones_like(found))


def exact_gelu(values: tf.Tensor) -> tf.Tensor:
    return keras.activations.gelu(values, approximate=False)


def test_values_and_gradient_are_exact() -> None:
    found, wanted = (
        forward_and_backward(gelu, tf.constant(VALUES)),
        forward_and_backward(exact_gelu, tf.constant(VALUES)),
    )
    for mine, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=2e-6)


def test_bfloat16_is_rounded_once() -> None:
    rounded = tf.cast(VALUES, tf.bfloat16)
    found, wanted = forward_and_backward(gelu, rounded), forward_and_backward(exact_gelu, tf.cast(rounded, tf.float32))
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine.dtype == tf.bfloat16
        np.testing.assert_allclose(tf.cast(mine, tf.float32), theirs, rtol=2**-8, atol=2e-6)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_graph_accepts_any_number_of_rows(rows: int) -> None:
    traced = tf.function(gelu, input_signature=[tf.TensorSpec((None, None), tf.float32)])
    values = tf.constant(VALUES[:1]) * tf.ones((rows, 1))
    np.testing.assert_allclose(traced(values), exact_gelu(values), atol=2e-6)
