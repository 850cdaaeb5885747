"""config.json: it round-trips, and any network other than a plain BERT model is rejected."""

import json
from pathlib import Path
from typing import Any

import pytest

from ml.bert.config import BertConfig
from ml.errors import UnusableCheckpoint

SMALL = BertConfig(
    vocab_size=97,
    hidden_size=24,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=50,
    max_position_embeddings=33,
    type_vocab_size=1,
    layer_norm_eps=1e-5,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.3,
)
BASE = {"model_type": "bert", "hidden_act": "gelu"}


def write_config(folder: Path, content: Any) -> Path:
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def assert_refused(folder: Path, reason: str) -> None:
    with pytest.raises(UnusableCheckpoint) as caught:
        BertConfig.read(folder)
    assert reason in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_written_config_is_read_back(tmp_path: Path) -> None:
    assert BertConfig.read(write_config(tmp_path, SMALL.to_hugging_face())) == SMALL
    assert SMALL.head_size == 6


def test_the_defaults_are_bert_base_uncased(tmp_path: Path) -> None:
    found = BertConfig.read(write_config(tmp_path, BASE))
    assert found == BertConfig()
    assert (found.hidden_size, found.num_hidden_layers, found.head_size) == (768, 12, 64)


def test_the_labels_are_named_for_transformers() -> None:
    content = SMALL.to_hugging_face()
    assert content["architectures"] == ["BertForSequenceClassification"]
    assert content["id2label"] == {"0": "Negative", "1": "Positive"}
    assert content["label2id"] == {"Negative": 0, "Positive": 1}
    assert "num_labels" not in content, "transformers counts id2label"


def test_other_fields_and_other_heads_do_not_matter(tmp_path: Path) -> None:
    content = {
        **BASE,
        "architectures": ["BertModel"],
        "num_labels": 5,
        "position_embedding_type": "absolute",
        "x": None,
    }
    assert BertConfig.read(write_config(tmp_path, content)).num_labels == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_type", "distilbert"),
        ("model_type", "roberta"),
        ("hidden_act", "gelu_new"),
        ("hidden_act", "relu"),
        ("position_embedding_type", "relative_key"),
    ],
)
def test_networks_with_other_arithmetic_are_refused(tmp_path: Path, field: str, value: str) -> None:
    assert_refused(write_config(tmp_path, {**BASE, field: value}), f"{field} is {value}, but only")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("is_decoder", True),
        ("add_cross_attention", True),
        ("pruned_heads", {"0": [1]}),
        ("quantization_config", {"bits": 4}),
    ],
)
def test_decoders_and_pruned_or_quantised_networks_are_refused(tmp_path: Path, field: str, value: object) -> None:
    assert_refused(write_config(tmp_path, {**BASE, field: value}), f"{field} is {value}, but this is not supported")
    plain = {"is_decoder": False, "add_cross_attention": False, "pruned_heads": {}, "quantization_config": None}
    assert BertConfig.read(write_config(tmp_path, {**BASE, field: plain[field]})) == BertConfig.read(
        write_config(tmp_path, BASE)
    )


@pytest.mark.parametrize("content", ["", "{", "\x00"])
def test_a_broken_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    assert_refused(tmp_path, "config.json cannot be read")


@pytest.mark.parametrize("content", [[], "bert", 12, None])
def test_json_that_is_not_an_object_is_refused(tmp_path: Path, content: object) -> None:
    assert_refused(write_config(tmp_path, content), "config.json is not an object")


@pytest.mark.parametrize(
    ("field", "value"),
    [("hidden_size", "768"), ("num_hidden_layers", 0), ("vocab_size", None), ("layer_norm_eps", "small")],
)
def test_an_invalid_size_is_refused(tmp_path: Path, field: str, value: object) -> None:
    assert_refused(write_config(tmp_path, {**BASE, field: value}), f"{field} is {value!r}")


def test_heads_that_do_not_share_the_features_evenly_are_refused(tmp_path: Path) -> None:
    content = {**BASE, "hidden_size": 100, "num_attention_heads": 12}
    assert_refused(write_config(tmp_path, content), "hidden_size 100 is not a multiple of num_attention_heads 12")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path, "config.json cannot be read")
