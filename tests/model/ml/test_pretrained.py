"""Hugging Face folders: they round-trip, older weight names are read, and mismatched weights are rejected."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from ml.bert.config import BertConfig
from ml.bert.network import build_network
from ml.bert.pretrained import WEIGHTS, interpolate_weights, read_checkpoint, write_checkpoint
from ml.bert.weight_names import weight_names
from ml.errors import UnusableCheckpoint
from ml.serving.engine import Engine
from ml.text.tokenization import WindowTokenizer

RandomBert = Callable[..., Path]
Tensors = dict[str, np.ndarray[Any, Any]]
CONFIG = BertConfig(
    vocab_size=211,
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=40,
    max_position_embeddings=19,
)
QUERY = "bert.encoder.layer.1.attention.self.query.weight"


@pytest.fixture
def folder(random_bert: RandomBert, tmp_path: Path) -> Path:
    return random_bert(tmp_path / "bert", CONFIG)


def values_of(network: keras.Model) -> Tensors:
    return {weight.name: keras.ops.convert_to_numpy(weight.variable) for weight in weight_names(network)}


def assert_equal(found: Tensors, expected: Tensors) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def rewrite(folder: Path, change: Callable[[Tensors], Tensors]) -> None:
    save_file(change(load_file(folder / WEIGHTS)), folder / WEIGHTS)


def without(prefix: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {name: values for name, values in tensors.items() if not name.startswith(prefix)}


def with_names(rename: Callable[[str], str]) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {rename(name): values for name, values in tensors.items()}


def assert_refused(folder: Path, reason: str) -> None:
    with pytest.raises(UnusableCheckpoint) as caught:
        read_checkpoint(folder)
    assert reason in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_written_weights_are_read_back_in_float16_precision(tmp_path: Path, reader: WindowTokenizer) -> None:
    network = build_network(CONFIG)
    rng = np.random.default_rng(3)
    for weight in weight_names(network):
        weight.variable.assign(rng.normal(0, 0.5, weight.variable.shape))
    write_checkpoint(tmp_path, network, CONFIG, reader)
    rounded = {name: values.astype(np.float16).astype(np.float32) for name, values in values_of(network).items()}
    assert_equal(values_of(read_checkpoint(tmp_path)), rounded)
    assert BertConfig.read(tmp_path) == CONFIG


def test_the_file_holds_float16_under_hugging_face_names_and_shapes(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    assert {values.dtype for values in tensors.values()} == {np.dtype(np.float16)}
    assert tensors["bert.encoder.layer.0.intermediate.dense.weight"].shape == (40, 24)
    assert tensors["bert.encoder.layer.0.output.dense.weight"].shape == (24, 40)
    assert tensors["bert.embeddings.word_embeddings.weight"].shape == (211, 24)
    assert tensors["classifier.weight"].shape == (2, 24)
    assert len(tensors) == 5 + 2 * 16 + 4


def test_a_checkpoint_without_the_prefix_is_read(folder: Path) -> None:
    expected = values_of(read_checkpoint(folder))
    rewrite(folder, with_names(lambda name: name.removeprefix("bert.")))
    assert not any(name.startswith("bert.") for name in load_file(folder / WEIGHTS))
    assert_equal(values_of(read_checkpoint(folder)), expected)


def test_the_names_of_old_tensorflow_exports_are_read(folder: Path) -> None:
    expected = values_of(read_checkpoint(folder))
    rewrite(
        folder,
        with_names(
            lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        ),
    )
    assert "bert.embeddings.LayerNorm.gamma" in load_file(folder / WEIGHTS)
    assert_equal(values_of(read_checkpoint(folder)), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ml_dtypes.bfloat16])
def test_other_dtypes_are_read(folder: Path, dtype: Any) -> None:
    rewrite(folder, lambda tensors: {name: values.astype(dtype) for name, values in tensors.items()})
    expected = {name: values.astype(np.float32) for name, values in load_file(folder / WEIGHTS).items()}
    assert_equal(transposed(values_of(read_checkpoint(folder))), expected)


def transposed(values: Tensors) -> Tensors:
    """Transpose the dense layers' kernels into the file's layout."""
    tables = ("word_embeddings", "position_embeddings", "token_type_embeddings")
    return {name: value if any(table in name for table in tables) else value.T for name, value in values.items()}


def test_other_tensors_do_not_matter(folder: Path) -> None:
    expected = values_of(read_checkpoint(folder))
    rewrite(
        folder,
        lambda tensors: {**tensors, "cls.predictions.bias": np.zeros(3), "bert.embeddings.position_ids": np.arange(19)},
    )
    assert_equal(values_of(read_checkpoint(folder)), expected)


def test_a_missing_head_is_new_and_the_encoder_is_loaded(folder: Path) -> None:
    expected = values_of(read_checkpoint(folder))
    rewrite(folder, without("classifier."))
    found = values_of(read_checkpoint(folder))
    assert not np.array_equal(found["classifier.weight"], expected["classifier.weight"])
    assert_equal(without("classifier.")(found), without("classifier.")(expected))


def test_a_given_config_takes_precedence_over_the_folders(folder: Path) -> None:
    shallow = BertConfig(**{**config_values(), "num_hidden_layers": 1})
    assert "bert.encoder.layer.1.output.dense.weight" not in values_of(read_checkpoint(folder, shallow))


def config_values() -> dict[str, Any]:
    return {name: getattr(CONFIG, name) for name in BertConfig.__dataclass_fields__}


def test_a_missing_weight_is_named(folder: Path) -> None:
    rewrite(folder, without(QUERY))
    assert_refused(folder, f"{WEIGHTS} has no weight {QUERY}")
    with pytest.raises(UnusableCheckpoint, match=f"{WEIGHTS} has no weight {QUERY}"):
        Engine.load(folder, 16, 4)


def test_a_weight_of_another_shape_is_named(folder: Path) -> None:
    rewrite(folder, lambda tensors: {**tensors, QUERY: np.zeros((24, 25), np.float16)})
    assert_refused(folder, f"{QUERY} has shape (25, 24), not (24, 24)")
    with pytest.raises(UnusableCheckpoint) as caught:
        Engine.load(folder, 16, 4)
    assert f"{QUERY} has shape (24, 25), not (24, 24)" in str(caught.value)


@pytest.mark.parametrize("labels", [1, 3, 5])
def test_a_head_for_other_labels_is_replaced(folder: Path, labels: int) -> None:
    expected = values_of(read_checkpoint(folder))
    head = {"classifier.weight": np.zeros((labels, 24), np.float16), "classifier.bias": np.zeros(labels, np.float16)}
    rewrite(folder, lambda tensors: {**tensors, **head})
    found = values_of(read_checkpoint(folder))
    assert found["classifier.weight"].shape == expected["classifier.weight"].shape
    assert_equal(without("classifier.")(found), without("classifier.")(expected))


def test_a_missing_pooler_is_new(folder: Path) -> None:
    expected = values_of(read_checkpoint(folder))
    rewrite(folder, without("bert.pooler."))
    found = values_of(read_checkpoint(folder))
    assert not np.array_equal(found["bert.pooler.dense.weight"], expected["bert.pooler.dense.weight"])
    assert_equal(without("bert.pooler.")(found), without("bert.pooler.")(expected))


def test_a_head_whose_parts_do_not_fit_is_refused(folder: Path) -> None:
    rewrite(folder, lambda tensors: {**tensors, "classifier.weight": np.zeros((3, 24), np.float16)})
    assert_refused(folder, "classifier.weight has shape (24, 3), not (24, 2)")


@pytest.mark.parametrize("content", [None, b"", b"no safetensors at all"])
def test_weights_that_cannot_be_read_are_refused(folder: Path, content: bytes | None) -> None:
    (folder / WEIGHTS).unlink()
    if content is not None:
        (folder / WEIGHTS).write_bytes(content)
    assert_refused(folder, f"{WEIGHTS} cannot be read")
    with pytest.raises(UnusableCheckpoint, match=f"{WEIGHTS} cannot be read"):
        Engine.load(folder, 16, 4)


def test_a_truncated_file_is_refused(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])
    assert_refused(folder, f"{WEIGHTS} cannot be read")


def test_weights_are_interpolated_towards_the_start(folder: Path) -> None:
    start, trained = read_checkpoint(folder), read_checkpoint(folder)
    for variable in trained.trainable_variables:
        variable.assign_add(keras.ops.ones_like(variable))
    before, after = values_of(start), values_of(trained)
    interpolate_weights(trained, start, 0.25)
    for name, values in values_of(trained).items():
        np.testing.assert_allclose(values, 0.75 * before[name] + 0.25 * after[name], atol=1e-6, err_msg=name)
    assert_equal(values_of(start), before)
