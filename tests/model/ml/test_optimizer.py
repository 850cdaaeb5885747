"""The fused AdamW gives the same results as Keras's AdamW, including the moments."""

import keras
import numpy as np
import pytest

from ml.training.optimizer import AdamW

SETTINGS = {"weight_decay": 0.1, "epsilon": 1e-8}
SHAPES = {"kernel": (7, 5), "bias": (5,), "table": (30, 3)}


def after_steps(kind: type[keras.optimizers.Optimizer], clip: dict[str, float]) -> list[np.ndarray]:
    """Return variables, moments and the step count after six steps with the same gradients."""
    rng = np.random.default_rng(3)
    variables = [keras.Variable(rng.normal(size=shape), dtype="float32", name=name) for name, shape in SHAPES.items()]
    rate = keras.optimizers.schedules.PolynomialDecay(0.05, 10)
    optimizer = kind(rate, **SETTINGS, **clip)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(variables)
    for _ in range(6):
        grads = [keras.ops.convert_to_tensor(rng.normal(size=shape), "float32") for shape in SHAPES.values()]
        optimizer.apply(grads, variables)
    return [keras.ops.convert_to_numpy(variable) for variable in [*variables, *optimizer.variables]]


@pytest.mark.parametrize("clip", [{}, {"clipnorm": 1.0}, {"global_clipnorm": 1.0}])
def test_variables_and_moments_equal_those_of_keras(clip: dict[str, float]) -> None:
    found, wanted = after_steps(AdamW, clip), after_steps(keras.optimizers.AdamW, clip)
    assert len(found) == 3 + 2 * 3 + 1
    # 1 - 0.999 has few significant bits in float32, so the moments and the steps of up to 0.05 differ in the fifth
    # digit.
    for mine, theirs in zip(found[3:], wanted[3:], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-8)
    for mine, theirs in zip(found[:3], wanted[:3], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)
