"""The batches of a fine-tune.

An epoch shows each text once, by one of its windows drawn at random, so that the network meets the middles and ends of
long reviews as it will when it serves; a recipe may cut some of them down to a part, since people write short texts
too. Batches hold windows of like length, which saves padding.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from ml.text.tokenization import WindowTokenizer
from ml.training.recipe import Recipe
from ml.training.training_set import Targets, TrainingExamples

NetworkInputs = dict[str, npt.NDArray[Any]]

# Batches that are sorted by length together: enough to save padding, few enough to leave the order random.
_POOL_BATCHES = 50
_PAD_TO = 32
# Tokens of the shortest part of a window that is shown alone: a short sentence.
_SHORTEST_CROP = 12


class WindowBatches:
    """The padded batches of each epoch; an epoch's windows and order follow from the seed and its number.

    With frozen layers every epoch shows the same windows, so that what those layers give is computed once.
    """

    def __init__(self, examples: TrainingExamples, reader: WindowTokenizer, recipe: Recipe) -> None:
        self._reader = reader
        self.recipe = recipe
        self._targets = examples.targets
        self._choices = [reader.windows(ids) for ids in reader.token_ids(examples.texts)]

    @property
    def batches_per_epoch(self) -> int:
        """Batches an epoch."""
        return -(-len(self._choices) // self.recipe.batch_size)

    def epoch(self, number: int) -> Iterator[tuple[NetworkInputs, Targets]]:
        """Epoch ``number``, from 0: inputs (batch, tokens) int32 and targets (batch, labels) float32."""
        rng = np.random.default_rng([self.recipe.seed, number])
        draw = np.random.default_rng([self.recipe.seed, 0]) if self.recipe.frozen_layers else rng
        windows = [self._crop(choice[draw.integers(len(choice))], draw) for choice in self._choices]
        for rows in self._shuffled_batches(rng, [len(window) for window in windows]):
            batch = self._reader.pad([windows[row] for row in rows], _PAD_TO)
            yield {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}, self._targets[rows]

    def _crop(self, window: list[int], rng: np.random.Generator) -> list[int]:
        """The window, or with the chance ``recipe.crops`` a part of it of random length, with [CLS] and [SEP]."""
        inner = len(window) - 2
        if not self.recipe.crops or inner <= _SHORTEST_CROP or rng.random() >= self.recipe.crops:
            return window
        # Even over the logarithm of the length, so that a sentence is as likely as a paragraph.
        length = round(_SHORTEST_CROP * (inner / _SHORTEST_CROP) ** rng.random())
        start = 1 + int(rng.integers(inner - length + 1))
        return [window[0], *window[start : start + length], window[-1]]

    def _shuffled_batches(self, rng: np.random.Generator, lengths: Sequence[int]) -> list[list[int]]:
        """Rows of each batch: sorted by length within pools of random rows, the batches themselves in random order."""
        size = self.recipe.batch_size
        order = rng.permutation(len(lengths))
        batches: list[list[int]] = []
        for start in range(0, len(order), _POOL_BATCHES * size):
            rows = sorted(order[start : start + _POOL_BATCHES * size].tolist(), key=lengths.__getitem__)
            batches += [rows[at : at + size] for at in range(0, len(rows), size)]
        return [batches[index] for index in rng.permutation(len(batches))]


class LowerOutputCache:
    """What the lower part of a divided network gives, computed once a window and kept in float16.

    A window of 128 tokens and 384 numbers each takes 98 kB, so this is for the few thousand texts of a feedback round.
    """

    def __init__(self, lower: keras.Model) -> None:
        self._lower = lower
        self._kept: dict[bytes, npt.NDArray[np.float16]] = {}

    def __call__(self, inputs: NetworkInputs) -> NetworkInputs:
        """``hidden`` (batch, tokens, hidden size) float16 for ``input_ids`` (batch, tokens); the mask stays."""
        input_ids, attention_mask = inputs["input_ids"], inputs["attention_mask"]
        lengths = attention_mask.sum(axis=1)
        names = [ids[:length].tobytes() for ids, length in zip(input_ids, lengths, strict=True)]
        if missing := [row for row, name in enumerate(names) if name not in self._kept]:
            asked = {name: values[missing] for name, values in inputs.items()}
            found = keras.ops.convert_to_numpy(keras.ops.cast(self._lower(asked), "float16"))
            for row, vectors in zip(missing, found, strict=True):
                # A copy, as a part would keep the padding in memory too.
                self._kept[names[row]] = vectors[: lengths[row]].copy()
        size = self._kept[names[0]].shape[1]
        hidden = np.zeros((*input_ids.shape, size), np.float16)
        for row, (name, length) in enumerate(zip(names, lengths, strict=True)):
            hidden[row, :length] = self._kept[name]
        return {"hidden": hidden, "attention_mask": attention_mask}
