"""Fine-tuning: batches, schedule and the optimiser of one recipe, run by Keras.

An epoch shows each review once, by one of its windows drawn at random, so that the network meets the middles and ends
of long reviews as it will when it serves. Batches hold windows of like length, which saves padding.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

import keras
import numpy as np
from keras import ops

from config.errors import FineTuneStopped
from ml.recipe import Recipe
from ml.tokens import Ids, TextReader
from ml.training_state import TrainingState

# Batches that are sorted by length together: enough to save padding, few enough to leave the order random.
_POOL = 50
_PAD_TO = 32
# Steps that the reported loss is averaged over.
_LOSS_OVER = 50
# Steps between two checkpoints: about a minute's work on two cores, kept in a second.
_SAVE_EVERY = 50


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a fine-tune is: steps done and in all, the running mean loss, and reviews a second so far."""

    step: int
    steps: int
    loss: float
    reviews_per_second: float


class WindowBatches:
    """The padded batches of each epoch; an epoch's windows and order follow from the seed and its number."""

    def __init__(self, texts: Sequence[str], labels: Sequence[int], reader: TextReader, recipe: Recipe) -> None:
        self._reader = reader
        self.recipe = recipe
        self._labels = np.asarray(labels, np.int32)
        self._choices = [reader.windows(ids) for ids in reader.ids(texts)]

    @property
    def count(self) -> int:
        """Batches an epoch."""
        return -(-len(self._choices) // self.recipe.batch_size)

    def epoch(self, number: int) -> Iterator[tuple[dict[str, Ids], Ids]]:
        """Epoch ``number``, from 0: inputs (batch, tokens) int32 and labels (batch,) int32."""
        rng = np.random.default_rng([self.recipe.seed, number])
        windows = [choice[rng.integers(len(choice))] for choice in self._choices]
        for rows in self._order(rng, [len(window) for window in windows]):
            batch = self._reader.pad([windows[row] for row in rows], _PAD_TO)
            yield {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}, self._labels[rows]

    def _order(self, rng: np.random.Generator, lengths: Sequence[int]) -> list[list[int]]:
        """Rows of each batch: sorted by length within pools of random rows, the batches themselves in random order."""
        size = self.recipe.batch_size
        order = rng.permutation(len(lengths))
        batches: list[list[int]] = []
        for start in range(0, len(order), _POOL * size):
            rows = sorted(order[start : start + _POOL * size].tolist(), key=lengths.__getitem__)
            batches += [rows[at : at + size] for at in range(0, len(rows), size)]
        return [batches[index] for index in rng.permutation(len(batches))]


@keras.saving.register_keras_serializable(package="thumbs")
class WarmUpLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """From 0 up to ``peak`` over ``warmup`` steps, then straight down to 0 at ``steps`` (Devlin et al. 2019)."""

    def __init__(self, peak: float, warmup: int, steps: int) -> None:
        self.peak, self.warmup, self.steps = peak, warmup, steps

    def __call__(self, step: Any) -> Any:
        """The learning rate at ``step``."""
        step = ops.cast(step, "float32")
        rising = step / max(self.warmup, 1)
        falling = (self.steps - step) / max(self.steps - self.warmup, 1)
        return self.peak * ops.maximum(ops.minimum(rising, falling), 0.0)

    def get_config(self) -> dict[str, Any]:
        """What makes an equal schedule."""
        return {"peak": self.peak, "warmup": self.warmup, "steps": self.steps}


@contextmanager
def computing_in(precision: str) -> Iterator[str]:
    """Networks built inside compute in ``precision`` (weights stay float32); yields what "fastest" means here."""
    if precision == "fastest":
        precision = "bfloat16" if _has_bfloat16_units() else "float32"
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        yield precision
    finally:
        keras.config.set_dtype_policy(before)


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows a fine-tune: ``report`` hears of each step, and ``stopped`` may end it after one."""

    report: Callable[[Progress], None]
    stopped: Callable[[], bool]


def train(network: keras.Model, batches: WindowBatches, state: TrainingState, resume: bool, watch: Watch) -> None:
    """Fine-tune ``network`` in place by the batches' recipe, with checkpoints in ``state``; ``resume`` starts there.

    Raises FineTuneStopped once the watch stops it, NothingToResume when there is no checkpoint of this plan.
    """
    recipe = batches.recipe
    steps = batches.count * recipe.epochs
    _compile(network, recipe, steps)
    first = state.load(network) if resume else 0
    start, loss = monotonic(), 0.0
    for step, (inputs, labels) in enumerate(_batches_from(batches, recipe.epochs, first), start=first + 1):
        latest = float(network.train_on_batch(inputs, labels))
        network.reset_metrics()
        done = step - first
        loss += (latest - loss) / min(done, _LOSS_OVER)
        watch.report(Progress(step, steps, loss, done * recipe.batch_size / (monotonic() - start)))
        if watch.stopped():
            state.save(network, step)
            raise FineTuneStopped(step=step, steps=steps)
        if step % _SAVE_EVERY == 0:
            state.save(network, step)


def _compile(network: keras.Model, recipe: Recipe, steps: int) -> None:
    """Give the network its optimiser, with every variable made, so that a checkpoint can fill them."""
    rate: Any = recipe.learning_rate
    if recipe.schedule == "linear":
        rate = WarmUpLinearDecay(recipe.learning_rate, round(recipe.warmup * steps), steps)
    clip = {"clipnorm" if recipe.clip == "variable" else "global_clipnorm": recipe.clip_norm}
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, epsilon=recipe.adam_epsilon, **clip)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    network.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    optimizer.build(network.trainable_variables)


def _batches_from(batches: WindowBatches, epochs: int, first: int) -> Iterator[tuple[dict[str, Ids], Ids]]:
    """The batches of all epochs but the ``first`` so many."""
    for number in range(first // batches.count, epochs):
        skipped = first % batches.count if number == first // batches.count else 0
        yield from islice(batches.epoch(number), skipped, None)


def _has_bfloat16_units() -> bool:
    """Whether matrix products in bfloat16 run in hardware: on any GPU TensorFlow sees, or with Intel's AMX."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415 - the other Keras backends work without TensorFlow

        if tf.config.list_physical_devices("GPU"):
            return True
    processor = Path("/proc/cpuinfo")
    return processor.is_file() and "amx_bf16" in processor.read_text(encoding="utf-8")
