"""Dropout with 16 random bits a number.

Random numbers are most of what dropout costs on a processor, and a rate needs fewer bits of them than a float has.
"""

from math import prod
from typing import Any

import keras
from keras import ops

_LEVELS = 2**16


class Dropout(keras.layers.Dropout):  # type: ignore[misc]  # Keras tells no types
    """Sets numbers to 0 at the layer's rate, to within 1/65,536, and scales up the others so that the mean stays."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The same shape and type; what is dropped follows from the state of the layer's seed generator."""
        if not training or not self.rate:
            return inputs
        kept = self._random_bits(ops.shape(inputs)) >= round(self.rate * _LEVELS)
        return ops.where(kept, inputs * (1 / (1 - self.rate)), ops.zeros((), inputs.dtype))

    def _random_bits(self, shape: Any) -> Any:
        """Uniform uint16 of a shape, two of each int32 that is drawn."""
        count = prod(shape)
        drawn = keras.random.randint(((count + 1) // 2, 1), -(2**31), 2**31 - 1, "int32", self.seed_generator)
        return ops.reshape(ops.reshape(ops.view(drawn, "uint16"), (-1,))[:count], shape)
