"""BERT in Keras and in the serving engine: bert-base-uncased has the right size, and both give equal results."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import openvino as ov
import pytest
import tensorflow as tf

from ml.bert.config import BertConfig
from ml.bert.network import build_network
from ml.bert.pretrained import read_checkpoint
from ml.bert.weight_names import weight_names
from ml.serving.engine import Engine
from ml.serving.graph import build_graph
from ml.text.tokenization import TokenBatch
from ml.training.devices import use_precision

RandomBert = Callable[..., Path]
CONFIGS = {
    "plain": BertConfig(hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=128),
    "one layer": BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64),
    "odd sizes": BertConfig(
        vocab_size=997,
        hidden_size=60,
        num_hidden_layers=5,
        num_attention_heads=5,
        intermediate_size=107,
        max_position_embeddings=67,
        type_vocab_size=3,
        layer_norm_eps=1e-5,
    ),
}
# The engine rounds activations to int8. These logits range over about one unit. A wrong layer would cause an error of
# the same size.
SERVING_TOLERANCE = 0.25


def random_batch(config: BertConfig, seed: int = 1) -> TokenBatch:
    """Return windows of 1 to 40 tokens, padded to 48."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 41, 24)
    mask = (np.arange(48)[None] < lengths[:, None]).astype(np.int32)
    ids = rng.integers(0, config.vocab_size, mask.shape).astype(np.int32) * mask
    return TokenBatch(ids, mask)


def keras_logits(network: keras.Model, batch: TokenBatch) -> np.ndarray:
    found = network({"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}, training=False)
    return keras.ops.convert_to_numpy(found)


@pytest.fixture(scope="module", params=CONFIGS)
def folder(request: pytest.FixtureRequest, random_bert: RandomBert, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_bert(tmp_path_factory.mktemp("bert"), CONFIGS[request.param])


def test_bert_base_uncased_with_two_labels_has_109_483_778_parameters() -> None:
    network = build_network(BertConfig())
    assert sum(int(np.prod(variable.shape)) for variable in network.trainable_variables) == 109_483_778
    assert network.count_params() == 109_483_778


def test_the_layers_are_named_as_in_transformers() -> None:
    network = build_network(CONFIGS["one layer"])
    layers = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    assert [layer.name for layer in layers] == ["bert", "dropout", "classifier"]


def test_every_weight_has_one_hugging_face_name() -> None:
    network = build_network(CONFIGS["odd sizes"])
    named = list(weight_names(network))
    assert {id(weight.variable) for weight in named} == {id(variable) for variable in network.trainable_variables}
    assert len({weight.name for weight in named}) == len(named) == len(network.trainable_variables)


def test_the_serving_graph_agrees_with_keras(folder: Path) -> None:
    batch = random_batch(BertConfig.read(folder))
    # The weights in these folders are exact in int8, so only activations are rounded.
    options = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
    graph = ov.Core().compile_model(build_graph(folder, "int8"), "CPU", options)
    found = graph([batch.input_ids, batch.attention_mask])[0]
    np.testing.assert_allclose(found, keras_logits(read_checkpoint(folder), batch), atol=1e-4)


def test_the_int8_engine_agrees_with_keras(folder: Path) -> None:
    batch = random_batch(BertConfig.read(folder))
    expected = keras_logits(read_checkpoint(folder), batch)
    found = Engine.load(folder, 32, 8).graph([batch.input_ids, batch.attention_mask])[0]
    np.testing.assert_allclose(found, expected, atol=SERVING_TOLERANCE)
    clear = np.abs(expected[:, 1] - expected[:, 0]) > 2 * SERVING_TOLERANCE
    assert clear.sum() > len(clear) / 2
    np.testing.assert_array_equal(found.argmax(axis=1)[clear], expected.argmax(axis=1)[clear])
    assert set(expected.argmax(axis=1)[clear]) == {0, 1}, "the texts have different labels"


def test_padding_does_not_change_the_logits(folder: Path) -> None:
    batch = random_batch(BertConfig.read(folder))
    network = read_checkpoint(folder)
    padded = keras_logits(network, batch)
    for row, length in enumerate(batch.attention_mask.sum(axis=1)):
        alone = TokenBatch(batch.input_ids[row : row + 1, :length], batch.attention_mask[row : row + 1, :length])
        np.testing.assert_allclose(keras_logits(network, alone)[0], padded[row], atol=2e-5)


def test_the_tokens_in_padding_do_not_matter(folder: Path) -> None:
    batch = random_batch(BertConfig.read(folder))
    network = read_checkpoint(folder)
    scribbled = np.where(batch.attention_mask == 1, batch.input_ids, 7).astype(np.int32)
    found = keras_logits(network, TokenBatch(scribbled, batch.attention_mask))
    np.testing.assert_allclose(found, keras_logits(network, batch), atol=2e-5)
    unmasked = keras_logits(network, TokenBatch(scribbled, np.ones_like(scribbled)))
    assert np.abs(unmasked - found).max() > 0.1, "without the mask, padding matters"


def test_new_weights_depend_on_the_seed_and_are_all_different() -> None:
    def weights(seed: int) -> list[np.ndarray]:
        keras.utils.set_random_seed(seed)
        network = build_network(CONFIGS["plain"])
        return [keras.ops.convert_to_numpy(weight.variable) for weight in weight_names(network) if weight.transposed]

    first, again, other = weights(1), weights(1), weights(2)
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not any(np.array_equal(one, two) for one, two in zip(first, other, strict=True))
    assert len({values.tobytes() for values in first}) == len(first)


def test_in_bfloat16_the_vectors_between_blocks_stay_float32() -> None:
    with use_precision("bfloat16"):
        bert = build_network(CONFIGS["plain"]).get_layer("bert")
    hidden = bert.embeddings(keras.ops.zeros((2, 48), "int32"))
    assert hidden.dtype == "float32"
    assert bert.blocks[0].query(hidden).dtype == "bfloat16"
    assert bert.blocks[0](hidden, keras.ops.zeros((2, 1, 1, 48))).dtype == "float32"


def test_in_bfloat16_the_gradient_of_a_frequent_word_is_summed_in_float32() -> None:
    found = []
    for precision in ("float32", "bfloat16"):
        keras.utils.set_random_seed(1)
        with use_precision(precision):
            embeddings = build_network(CONFIGS["plain"]).get_layer("bert").embeddings
        with tf.GradientTape() as tape:
            # When these 1,920 gradients are added one by one in bfloat16, the sum stops growing at 256 times the first.
            summed = keras.ops.sum(embeddings(keras.ops.full((40, 48), 7, "int32"))[..., 0])
        found.append(tf.convert_to_tensor(tape.gradient(summed, embeddings.words.value))[7])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5, atol=1e-5)
