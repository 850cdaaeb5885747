"""Creates batches of windows for a fine-tune.

Each epoch uses one randomly drawn window from every text, or from every group of texts. In this way, the network also
learns from the middles and ends of long reviews, which it has to classify in production. A recipe can crop some
windows, because users also write short texts. Windows of similar length are in the same batch, which saves padding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from ml.text.tokenization import WindowTokenizer
from ml.training.recipe import Recipe
from ml.training.training_set import Targets, TrainingExamples

NetworkInputs = dict[str, npt.NDArray[Any]]

# The number of batches sorted by length together: enough to save padding, few enough to keep the order random.
_POOL_BATCHES = 50
_PAD_TO = 32
# The number of tokens in the shortest crop: about a short sentence.
_SHORTEST_CROP = 12


@dataclass(frozen=True, slots=True)
class _Choice:
    """A window that an epoch can use, and the row of the text that it comes from."""

    row: int
    window: list[int]


class WindowBatches:
    """Yields the padded batches for an epoch.

    The windows and the order of the batches depend only on the seed and the epoch number.

    With frozen layers, every epoch has the same windows, so the outputs of those layers are computed only once.
    """

    def __init__(self, examples: TrainingExamples, tokenizer: WindowTokenizer, recipe: Recipe) -> None:
        self._tokenizer = tokenizer
        self.recipe = recipe
        self._targets = examples.targets
        # A crop keeps a known label, but a model's probabilities hold only for the text that the model read.
        self._croppable = examples.targets.max(axis=1) == 1
        groups: dict[int, list[_Choice]] = {}
        for row, (group, ids) in enumerate(
            zip(examples.group_numbers, tokenizer.token_ids(examples.texts), strict=True)
        ):
            groups.setdefault(group, []).extend(_Choice(row, window) for window in tokenizer.windows(ids))
        self._groups = list(groups.values())

    @property
    def batches_per_epoch(self) -> int:
        """The number of batches in an epoch."""
        return -(-len(self._groups) // self.recipe.batch_size)

    def epoch(self, number: int) -> Iterator[tuple[NetworkInputs, Targets]]:
        """Yield epoch ``number`` (0-based): inputs (batch, tokens) int32 and targets (batch, labels) float32."""
        rng = np.random.default_rng([self.recipe.seed, number])
        window_rng = np.random.default_rng([self.recipe.seed, 0]) if self.recipe.frozen_layers else rng
        chosen = [self._crop(group[window_rng.integers(len(group))], window_rng) for group in self._groups]
        for rows in self._shuffled_batches(rng, [len(choice.window) for choice in chosen]):
            batch = self._tokenizer.pad([chosen[row].window for row in rows], _PAD_TO)
            inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
            yield inputs, self._targets[[chosen[row].row for row in rows]]

    def _crop(self, choice: _Choice, rng: np.random.Generator) -> _Choice:
        """Return the choice or, with probability ``recipe.crops``, a random crop of its window with [CLS] and [SEP]."""
        window = choice.window
        inner = len(window) - 2
        if not self.recipe.crops or not self._croppable[choice.row]:
            return choice
        if inner <= _SHORTEST_CROP or rng.random() >= self.recipe.crops:
            return choice
        # The length is log-uniform, so that a sentence is as likely as a paragraph.
        length = round(_SHORTEST_CROP * (inner / _SHORTEST_CROP) ** rng.random())
        start = 1 + int(rng.integers(inner - length + 1))
        return _Choice(choice.row, [window[0], *window[start : start + length], window[-1]])

    def _shuffled_batches(self, rng: np.random.Generator, lengths: Sequence[int]) -> list[list[int]]:
        """Return each batch's row numbers, sorted by length within random pools. The batches are in random order."""
        size = self.recipe.batch_size
        order = rng.permutation(len(lengths))
        batches: list[list[int]] = []
        for start in range(0, len(order), _POOL_BATCHES * size):
            rows = sorted(order[start : start + _POOL_BATCHES * size].tolist(), key=lengths.__getitem__)
            batches += [rows[at : at + size] for at in range(0, len(rows), size)]
        return [batches[index] for index in rng.permutation(len(batches))]


class LowerOutputCache:
    """Computes the outputs of the lower part of a split network once per window, and caches them in float16.

    128 tokens with 384 numbers each take 98 kB, so the cache is meant for the few thousand texts in a feedback round.
    """

    def __init__(self, lower: keras.Model) -> None:
        self._lower = lower
        self._cache: dict[bytes, npt.NDArray[np.float16]] = {}

    def __call__(self, inputs: NetworkInputs) -> NetworkInputs:
        """Replace ``input_ids`` (batch, tokens) with ``hidden`` (batch, tokens, hidden size) float16. Keep the mask."""
        input_ids, attention_mask = inputs["input_ids"], inputs["attention_mask"]
        lengths = attention_mask.sum(axis=1)
        keys = [ids[:length].tobytes() for ids, length in zip(input_ids, lengths, strict=True)]
        if missing := [row for row, key in enumerate(keys) if key not in self._cache]:
            uncached = {name: values[missing] for name, values in inputs.items()}
            outputs = keras.ops.convert_to_numpy(keras.ops.cast(self._lower(uncached), "float16"))
            for row, vectors in zip(missing, outputs, strict=True):
                # Copy the rows, because a slice would keep the padding in memory.
                self._cache[keys[row]] = vectors[: lengths[row]].copy()
        size = self._cache[keys[0]].shape[1]
        hidden = np.zeros((*input_ids.shape, size), np.float16)
        for row, (key, length) in enumerate(zip(keys, lengths, strict=True)):
            hidden[row, :length] = self._cache[key]
        return {"hidden": hidden, "attention_mask": attention_mask}
