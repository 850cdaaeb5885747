"""A published model that does not match its manifest or config is rejected before it serves."""

import dataclasses
import json
import logging
import math
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paths import STARTER
from safetensors.numpy import load_file, save_file

from ml.bert.config import BertConfig
from ml.bert.pretrained import WEIGHTS
from ml.errors import UnusableArtifact, UnusableCheckpoint
from ml.serving.artifact import Manifest, file_hashes
from ml.serving.engine import Classifier, Engine
from ml.serving.graph import build_graph

RandomBert = Callable[..., Path]
CONFIG = BertConfig(
    hidden_size=24, num_hidden_layers=1, num_attention_heads=3, intermediate_size=40, max_position_embeddings=19
)


def starter_with(folder: Path, **changes: Any) -> Path:
    """Link the starter's files into ``folder``, but with a changed manifest."""
    for path in STARTER.iterdir():
        (folder / path.name).symlink_to(path)
    manifest = Manifest.read(folder)
    (folder / "manifest.json").unlink()
    dataclasses.replace(manifest, **changes).write(folder)
    return folder


def test_a_lone_surrogate_is_read_as_an_unknown_character() -> None:
    classifier = Classifier.load(STARTER)
    texts = ["A \ud83d joy.", "A joy.", "\udce9"]
    assert [verdict.windows for verdict in classifier.classify(texts)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("probe_logits", "reason"),
    [
        ([[0.0, 1.0]], "it has 1 probe texts, but this program has 64"),
        ([[0.0]] * 63 + [[0.0, 1.0]], "not pairs of numbers"),
        ([[0.0]] * 64, "not pairs of numbers"),
        ([["a", "b"]] * 64, "not pairs of numbers"),
        ([[0.0, 1.0]] * 64, "the logits of its probe texts are off by"),
    ],
    ids=["one", "ragged", "single", "words", "wrong"],
)
def test_other_probes_are_refused(tmp_path: Path, probe_logits: list[Any], reason: str) -> None:
    with pytest.raises(UnusableArtifact, match=reason):
        Classifier.load(starter_with(tmp_path, probe_logits=probe_logits))


def test_loading_needs_memory_for_one_weight_at_a_time(random_bert: RandomBert, tmp_path: Path) -> None:
    deep = BertConfig(
        vocab_size=2000, hidden_size=64, num_hidden_layers=16, num_attention_heads=4, intermediate_size=1024
    )
    folder = random_bert(tmp_path / "deep", deep)
    largest = deep.vocab_size * deep.hidden_size * 4  # bytes in float32
    size = (folder / WEIGHTS).stat().st_size
    tracemalloc.start()
    try:
        build_graph(folder, "int8")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * largest < size / 2


def without_vocabulary(folder: Path) -> None:
    """Empty the tokenizer's vocabulary, so that the tokenizer raises a bare Exception when it reads a text."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["model"]["vocab"] = {}
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    dataclasses.replace(Manifest.read(folder), files=file_hashes(folder)).write(folder)


def test_an_error_of_a_library_refuses_the_model_in_one_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    without_vocabulary(starter_with(tmp_path))
    reason = r"loading it failed with Exception: WordPiece error: Missing \[UNK\] token"
    with caplog.at_level(logging.INFO), pytest.raises(UnusableArtifact, match=reason) as refused:
        Classifier.load(tmp_path)
    assert "\n" not in str(refused.value)
    assert "Traceback" in caplog.text
    assert max(record.levelno for record in caplog.records) < logging.WARNING, "a command would print the traceback"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": None}, "does not name a version"),
        ({"version": "one\n"}, "does not name a version"),
        ({"files": []}, "loading it failed with AttributeError"),
        ({"window": "128"}, "loading it failed with TypeError"),
        ({"temperature": None}, "loading it failed with TypeError"),
        ({"temperature": 0.0}, "out of range"),
        ({"temperature": math.nan}, "out of range"),
        ({"unsure_below": 70}, "out of range"),
    ],
    ids=repr,
)
def test_a_manifest_with_unusable_values_is_refused(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnusableArtifact, match=reason):
        Classifier.load(starter_with(tmp_path, **changes))


def test_a_window_longer_than_the_positions_is_refused(tmp_path: Path, random_bert: RandomBert) -> None:
    with pytest.raises(UnusableArtifact, match="it reads 512 tokens at once, but the window is 513"):
        Classifier.load(starter_with(tmp_path, window=513))
    folder = random_bert(tmp_path / "bert", CONFIG)
    Engine.load(folder, 19, 4)
    with pytest.raises(UnusableCheckpoint, match="it reads 19 tokens at once, but the window is 20"):
        Engine.load(folder, 20, 4)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("bert.embeddings.word_embeddings.weight", (30521, 24)),
        ("bert.embeddings.position_embeddings.weight", (18, 24)),
        ("bert.embeddings.token_type_embeddings.weight", (0, 24)),
        ("bert.embeddings.LayerNorm.weight", (1,)),
        ("bert.encoder.layer.0.attention.self.key.bias", (1,)),
        ("bert.encoder.layer.0.intermediate.dense.weight", (41, 24)),
        ("bert.encoder.layer.0.output.dense.weight", (24, 41)),
        ("bert.pooler.dense.weight", (24,)),
        ("classifier.weight", (1, 24)),
        ("classifier.bias", (3,)),
    ],
)
def test_a_weight_with_a_shape_that_the_config_does_not_imply_is_named(
    tmp_path: Path, random_bert: RandomBert, name: str, shape: tuple[int, ...]
) -> None:
    folder = random_bert(tmp_path, CONFIG)
    save_file({**load_file(folder / WEIGHTS), name: np.zeros(shape, np.float16)}, folder / WEIGHTS)
    with pytest.raises(UnusableCheckpoint) as caught:
        Engine.load(folder, 16, 4)
    assert f"{name} has shape {shape}, not (" in str(caught.value)
    assert "\n" not in str(caught.value)
