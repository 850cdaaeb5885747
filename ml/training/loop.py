"""The training loop in Keras, with the schedule, optimiser, steps and checkpoints for one recipe."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from math import isfinite
from time import monotonic
from typing import Any

import keras
from keras import ops

from ml.bert.split_network import split_network
from ml.errors import FineTuneDiverged, FineTuneStopped
from ml.serving.chunked import Phases, Unobserved
from ml.training import devices
from ml.training.batches import LowerOutputCache, NetworkInputs, WindowBatches
from ml.training.checkpoint import Checkpoint
from ml.training.checkpoint_schedule import CheckpointSchedule
from ml.training.optimizer import AdamW
from ml.training.recipe import Recipe
from ml.training.training_set import Targets

# The number of steps that the reported loss is averaged over.
_LOSS_WINDOW = 50


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """The progress of a fine-tune: steps done, total steps and epochs, running mean loss, and reviews per second."""

    step: int
    steps: int
    epochs: int
    loss: float
    reviews_per_second: float


@keras.saving.register_keras_serializable(package="thumbs")
class WarmUpLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from 0 to ``peak`` in ``warmup`` steps, then falls to 0 at ``steps`` (Devlin et al. 2019)."""

    def __init__(self, peak: float, warmup: int, steps: int) -> None:
        self.peak, self.warmup, self.steps = peak, warmup, steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at ``step``."""
        step = ops.cast(step, "float32")
        rising = step / max(self.warmup, 1)
        falling = (self.steps - step) / max(self.steps - self.warmup, 1)
        return self.peak * ops.maximum(ops.minimum(rising, falling), 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this schedule."""
        return {"peak": self.peak, "warmup": self.warmup, "steps": self.steps}


@dataclass(frozen=True, slots=True)
class TrainingCallbacks:
    """Callbacks after each step: ``on_progress`` reports it, and ``should_stop`` returns True to stop the fine-tune.

    ``phases`` follows the work after the last step.
    """

    on_progress: Callable[[TrainingProgress], None]
    should_stop: Callable[[], bool]
    phases: Phases = field(default_factory=Unobserved)


def train(
    network: keras.Model, batches: WindowBatches, checkpoint: Checkpoint, resume: bool, callbacks: TrainingCallbacks
) -> int:
    """Fine-tune ``network`` in place with the batches' recipe, and return the total number of optimiser steps.

    If the recipe freezes layers, only the layers above them are trained, on the cached outputs of the frozen layers.
    ``resume`` continues from ``checkpoint``, and the total then includes the steps before it. Raise FineTuneStopped if
    the callbacks stop the fine-tune, FineTuneDiverged if a loss is not finite, and NothingToResume if there is no
    checkpoint for this plan.
    """
    recipe = batches.recipe
    steps = batches.batches_per_epoch * recipe.epochs
    network, prepare = _trainable_network(network, recipe)
    _compile(network, recipe, steps)
    first = checkpoint.load(network) if resume else 0
    start, loss, schedule = monotonic(), 0.0, CheckpointSchedule()
    for step, (inputs, targets) in enumerate(_remaining_batches(batches, recipe.epochs, first), start=first + 1):
        latest = devices.train_step(network, prepare(inputs), targets)
        if not isfinite(latest):
            raise FineTuneDiverged(step=step, reason="the loss is no longer a number")
        steps_run = step - first
        loss += (latest - loss) / min(steps_run, _LOSS_WINDOW)
        callbacks.on_progress(
            TrainingProgress(step, steps, recipe.epochs, loss, steps_run * recipe.batch_size / (monotonic() - start))
        )
        if callbacks.should_stop():
            checkpoint.save(network, step)
            raise FineTuneStopped(step=step, steps=steps)
        if schedule.is_due(step) or step == steps:  # also after the last step, in case publishing fails
            with schedule.saving():
                checkpoint.save(network, step)
    return int(ops.convert_to_numpy(network.optimizer.iterations))


def _trainable_network(
    network: keras.Model, recipe: Recipe
) -> tuple[keras.Model, Callable[[NetworkInputs], NetworkInputs]]:
    """Return the part of the network to train, and a function that maps token ids to that part's inputs."""
    if not recipe.frozen_layers:
        return network, lambda inputs: inputs
    parts = split_network(network, recipe.frozen_layers)
    return parts.upper, LowerOutputCache(parts.lower)


def _compile(network: keras.Model, recipe: Recipe, steps: int) -> None:
    """Compile the network with its optimiser, and create every variable so that a checkpoint can restore it."""
    rate: Any = recipe.learning_rate
    if recipe.schedule == "linear":
        rate = WarmUpLinearDecay(recipe.learning_rate, round(recipe.warmup * steps), steps)
    clip = {"clipnorm" if recipe.clip == "variable" else "global_clipnorm": recipe.clip_norm}
    optimizer = AdamW(rate, weight_decay=recipe.weight_decay, epsilon=recipe.adam_epsilon, **clip)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    network.compile(
        optimizer, keras.losses.CategoricalCrossentropy(from_logits=True), jit_compile=devices.should_jit_compile()
    )
    optimizer.build(network.trainable_variables)


def _remaining_batches(batches: WindowBatches, epochs: int, first: int) -> Iterator[tuple[NetworkInputs, Targets]]:
    """Yield the batches of all epochs, except the first ``first`` batches."""
    for number in range(first // batches.batches_per_epoch, epochs):
        skipped = first % batches.batches_per_epoch if number == first // batches.batches_per_epoch else 0
        yield from islice(batches.epoch(number), skipped, None)
