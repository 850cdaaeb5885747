"""A split network: its two parts together equal the whole network, and only the upper part is trained."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from ml.bert.config import BertConfig
from ml.bert.pretrained import read_checkpoint
from ml.bert.split_network import split_network
from ml.bert.weight_names import weight_names
from ml.text.tokenization import WindowTokenizer
from ml.training.batches import LowerOutputCache, NetworkInputs, WindowBatches
from ml.training.checkpoint import Checkpoint
from ml.training.loop import TrainingCallbacks, train
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingExamples

RandomBert = Callable[..., Path]
CONFIG = BertConfig(
    hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64, max_position_embeddings=80
)
EVERY = range(CONFIG.num_hidden_layers + 1)
RECIPE = replace(
    Recipe.load("feedback"), window=32, overlap=8, batch_size=4, epochs=2, precision="float32", learning_rate=1e-2
)
# Texts of increasing length that fit into one window, and texts that need several windows.
TEXTS = [
    " ".join(f"{number} of {word}" for word in range(30 if number > 20 else 1 + number // 3)) for number in range(24)
]


@pytest.fixture(scope="module")
def network(random_bert: RandomBert, tmp_path_factory: pytest.TempPathFactory) -> keras.Model:
    return read_checkpoint(random_bert(tmp_path_factory.mktemp("bert"), CONFIG))


@pytest.fixture(scope="module")
def inputs(reader: WindowTokenizer) -> NetworkInputs:
    """Windows of all lengths, in one batch."""
    return padded(reader, 16)


def padded(reader: WindowTokenizer, multiple: int, rows: slice = slice(None)) -> NetworkInputs:
    windows = [reader.windows(ids)[0] for ids in reader.token_ids(TEXTS)]
    batch = reader.pad(windows[rows], multiple)
    return {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}


def output(model: keras.Model, inputs: NetworkInputs) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(inputs, training=False))


@pytest.mark.parametrize("frozen", EVERY)
def test_the_two_parts_together_give_the_output_of_the_whole(
    network: keras.Model, inputs: NetworkInputs, frozen: int
) -> None:
    parts, expected = split_network(network, frozen), output(network, inputs)
    assert np.ptp(expected, axis=0).min() > 0.1, "the texts have different labels"
    between = {"hidden": output(parts.lower, inputs), "attention_mask": inputs["attention_mask"]}
    np.testing.assert_allclose(output(parts.upper, between), expected, atol=1e-5)


@pytest.mark.parametrize("frozen", EVERY)
def test_caching_in_float16_has_a_small_error(network: keras.Model, inputs: NetworkInputs, frozen: int) -> None:
    parts, expected = split_network(network, frozen), output(network, inputs)
    kept = LowerOutputCache(parts.lower)(inputs)
    assert kept["hidden"].dtype == np.float16
    # float16 has a relative error of 2 ** -11, and the errors add up over the blocks above.
    cost = np.abs(output(parts.upper, kept) - expected).max()
    assert cost < 0.01 * np.ptp(expected)


@pytest.mark.parametrize("frozen", EVERY)
def test_training_changes_only_the_upper_part(
    random_bert: RandomBert, reader: WindowTokenizer, tmp_path: Path, frozen: int
) -> None:
    own = read_checkpoint(random_bert(tmp_path / "bert", CONFIG))
    before = {weight.name: keras.ops.convert_to_numpy(weight.variable) for weight in weight_names(own)}
    recipe = replace(RECIPE, frozen_layers=frozen, epochs=1)
    batches = WindowBatches(TrainingExamples.from_labels(TEXTS, [number % 2 for number in range(24)]), reader, recipe)
    train(
        own, batches, Checkpoint(tmp_path / "training", "plan"), False, TrainingCallbacks(lambda _: None, lambda: False)
    )
    same = {
        weight.name: bool(np.array_equal(keras.ops.convert_to_numpy(weight.variable), before[weight.name]))
        for weight in weight_names(own)
    }
    lowest = [f"bert.encoder.layer.{index}." for index in range(frozen)]
    below = {name for name in before if frozen and name.startswith(("bert.embeddings.", *lowest))}
    assert {name for name, kept in same.items() if kept} == below


def counting_cache(network: keras.Model, frozen: int) -> tuple[LowerOutputCache, list[int]]:
    """Return a cache, and a list that records how many windows each of its computations reads."""
    lower, sizes = split_network(network, frozen).lower, []

    def compute(inputs: NetworkInputs) -> object:
        sizes.append(len(inputs["input_ids"]))
        return lower(inputs)

    return LowerOutputCache(compute), sizes


def test_each_window_is_computed_once_across_batches(network: keras.Model, reader: WindowTokenizer) -> None:
    batches = WindowBatches(
        TrainingExamples.from_labels(TEXTS, [number % 2 for number in range(24)]),
        reader,
        replace(RECIPE, frozen_layers=1),
    )
    outputs, sizes = counting_cache(network, 1)
    # First the middle of an epoch and then other epochs, as in a resumed fine-tune.
    for inputs, _ in list(batches.epoch(1))[2:] + list(batches.epoch(2)) + list(batches.epoch(0)):
        outputs(inputs)
    windows = {
        ids[mask == 1].tobytes()
        for inputs, _ in batches.epoch(0)
        for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True)
    }
    assert sum(sizes) == len(windows) == len(TEXTS)


def test_a_window_has_the_same_output_with_other_padding(network: keras.Model, reader: WindowTokenizer) -> None:
    batches = [padded(reader, 32), padded(reader, 1, slice(0, 5)), padded(reader, 1, slice(3, 15))]
    assert [batch["input_ids"].shape[1] for batch in batches] == [32, 8, 17]
    outputs, sizes = counting_cache(network, 1)
    together = outputs(batches[0])["hidden"]
    for batch, rows in zip(batches[1:], (slice(0, 5), slice(3, 15)), strict=True):
        kept, fresh = outputs(batch), LowerOutputCache(split_network(network, 1).lower)(batch)
        for row, length in enumerate(batch["attention_mask"].sum(axis=1)):
            np.testing.assert_array_equal(kept["hidden"][row, :length], together[rows][row, :length])
            assert not kept["hidden"][row, length:].any(), "padding stays empty"
        np.testing.assert_allclose(kept["hidden"], fresh["hidden"], atol=5e-3)
    assert sizes == [len(TEXTS)]
