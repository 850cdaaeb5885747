"""``thumbs summary`` prints the layers and parameters."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from cli.summary import summary
from ml.bert.config import BertConfig
from ml.training.base_model import DEFAULT_BASE_MODEL, find_base_model

BERT_BASE = replace(
    BertConfig(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072),
    vocab_size=30_522,
    max_position_embeddings=512,
)


def test_bert_base_has_the_layers_and_parameters_of_the_tutorial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = find_base_model(DEFAULT_BASE_MODEL).folder / "tokenizer.json"
    (tmp_path / tokenizer.name).write_bytes(tokenizer.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(BERT_BASE.to_hugging_face()), encoding="utf-8")
    summary(base=str(tmp_path))
    printed = capsys.readouterr().out
    for layer in (r"bert.*109,482,240", r"dropout.* 0 ", r"classifier.*1,538", r"Total params: 109,483,778"):
        assert re.search(layer, printed), layer
