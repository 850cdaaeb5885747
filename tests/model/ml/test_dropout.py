"""Dropout: the share of elements that are dropped, their independence, and determinism."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from ml.bert.dropout import Dropout

# The number of elements is odd, because random bits are drawn in pairs.
SHAPE = (3, 333, 1001)


def dropped(layer: Dropout, dtype: str = "float32") -> np.ndarray:
    return ops.convert_to_numpy(ops.cast(layer(ops.ones(SHAPE, dtype), training=True), "float32"))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_a_share_is_set_to_zero_and_the_others_are_scaled_up(rate: float, dtype: str) -> None:
    found = dropped(Dropout(rate, seed=1, dtype=dtype), dtype)
    zeros = (found == 0).mean()
    # Four standard deviations of a million draws.
    assert zeros == pytest.approx(rate, abs=4 * (rate * (1 - rate) / found.size) ** 0.5)
    np.testing.assert_allclose(found[found != 0], 1 / (1 - rate), rtol=1e-6 if dtype == "float32" else 2**-8)


def test_elements_are_dropped_independently() -> None:
    zeros = dropped(Dropout(0.5, seed=1)) == 0
    for axis in range(3):
        # A quarter of all neighbouring pairs are dropped together, so the two halves of a draw are independent.
        both = (zeros & np.roll(zeros, 1, axis)).mean()
        assert both == pytest.approx(0.25, abs=0.003)


def test_nothing_is_dropped_outside_training_or_at_rate_zero() -> None:
    ones = ops.ones(SHAPE)
    assert ops.convert_to_numpy(Dropout(0.5)(ones, training=False)).min() == 1
    assert ops.convert_to_numpy(Dropout(0.0)(ones, training=True)).min() == 1


def test_dropout_depends_on_the_seed_and_changes_with_each_call() -> None:
    first, same, other = Dropout(0.1, seed=1), Dropout(0.1, seed=1), Dropout(0.1, seed=2)
    found = dropped(first)
    np.testing.assert_array_equal(dropped(same), found)
    assert (dropped(other) != found).any()
    again = dropped(first)
    assert (again != found).any()
    np.testing.assert_array_equal(dropped(same), again)


def test_dropout_resumes_from_the_state_of_its_generator() -> None:
    first, resumed = Dropout(0.1, seed=1), Dropout(0.1, seed=9)
    dropped(first)
    resumed.seed_generator.state.assign(first.seed_generator.state)
    np.testing.assert_array_equal(dropped(resumed), dropped(first))


def test_gradients_have_the_same_mask() -> None:
    layer, ones = Dropout(0.1, seed=1), tf.ones(SHAPE)
    with tf.GradientTape() as tape:
        tape.watch(ones)
        found = layer(ones, training=True)
    np.testing.assert_array_equal(tape.gradient(found, ones), found)
