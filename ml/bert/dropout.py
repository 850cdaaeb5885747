"""Dropout that draws 16 random bits per element.

On a CPU, dropout spends most of its time drawing random numbers, and a dropout rate needs fewer bits than a float has.
"""

from math import prod
from typing import Any

import keras
from keras import ops

_LEVELS = 2**16


class Dropout(keras.layers.Dropout):  # type: ignore[misc]  # Keras has no types
    """Sets elements to 0 at the layer's rate, to within 1/65,536, and scales up the rest to preserve the mean."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return a tensor of the same shape and dtype. The layer's seed generator selects the elements to drop."""
        if not training or not self.rate:
            return inputs
        kept = self._random_bits(ops.shape(inputs)) >= round(self.rate * _LEVELS)
        return ops.where(kept, inputs * (1 / (1 - self.rate)), ops.zeros((), inputs.dtype))

    def _random_bits(self, shape: Any) -> Any:
        """Return uniform uint16 numbers of the given ``shape``. Each int32 drawn yields two of these numbers."""
        count = prod(shape)
        drawn = keras.random.randint(((count + 1) // 2, 1), -(2**31), 2**31 - 1, "int32", self.seed_generator)
        return ops.reshape(ops.reshape(ops.view(drawn, "uint16"), (-1,))[:count], shape)
