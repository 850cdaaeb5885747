"""AdamW (Loshchilov and Hutter 2019), with a fused update on TensorFlow."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="thumbs")
class AdamW(keras.optimizers.AdamW):  # type: ignore[misc]  # Keras has no types
    """A version of Keras's AdamW with the same results, moments and settings.

    On TensorFlow, one kernel updates a variable and both its moments, while Keras's own operations pass over them a
    dozen times. On a CPU, this saves a tenth of a fine-tune's time.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update ``variable`` and its moments by one step."""
        if keras.backend.backend() != "tensorflow":
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf  # noqa: PLC0415 - the other Keras backends work without TensorFlow

        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, variable.dtype)
        beta_1, beta_2 = (tf.cast(beta, variable.dtype) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta_1**step,
            beta2_power=beta_2**step,
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )
