"""The configuration of a BERT model, read from a Hugging Face ``config.json``."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from ml.errors import UnusableCheckpoint
from ml.text.labels import LABELS


@dataclass(frozen=True, slots=True)
class BertConfig:
    """Hyperparameters of a BERT encoder with a classification head. The defaults match bert-base-uncased."""

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    num_labels: int = len(LABELS)

    @property
    def head_size(self) -> int:
        """The number of features in one attention head."""
        return self.hidden_size // self.num_attention_heads

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read ``folder/config.json``. Raise UnusableCheckpoint if the model is not a supported BERT model."""
        try:
            content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UnusableCheckpoint(path=folder, reason=f"config.json cannot be read ({error})") from error
        if not isinstance(content, dict):
            raise UnusableCheckpoint(path=folder, reason="config.json is not an object")
        _require_bert(folder, content)
        values = {name: content[name] for name in cls.__dataclass_fields__ if name in content and name != "num_labels"}
        config = cls(**values)
        _require_valid_sizes(folder, config)
        return config

    def require_window(self, folder: Path, window: int) -> None:
        """Raise UnusableCheckpoint if ``window``, in tokens, exceeds the number of position embeddings."""
        positions = self.max_position_embeddings
        if window > positions:
            raise UnusableCheckpoint(
                path=folder, reason=f"it reads {positions} tokens at once, but the window is {window}"
            )

    def require_blocks(self, folder: Path, frozen: int) -> None:
        """Raise UnusableCheckpoint if the encoder has fewer than ``frozen`` blocks."""
        blocks = self.num_hidden_layers
        if frozen > blocks:
            raise UnusableCheckpoint(path=folder, reason=f"it has {blocks} blocks, but the recipe freezes {frozen}")

    def to_hugging_face(self) -> dict[str, Any]:
        """Return the content of a ``config.json`` that transformers opens as BertForSequenceClassification."""
        sizes = asdict(self)
        del sizes["num_labels"]
        return {
            "architectures": ["BertForSequenceClassification"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "pad_token_id": 0,
            "id2label": {str(index): label for index, label in enumerate(LABELS)},
            "label2id": {label: index for index, label in enumerate(LABELS)},
            "dtype": "float16",
            **sizes,
        }


def _require_bert(folder: Path, content: Mapping[str, Any]) -> None:
    """Raise UnusableCheckpoint for networks that share BERT's file layout but compute something different."""
    required = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "is_decoder": False,
        "add_cross_attention": False,
        "pruned_heads": {},
        "quantization_config": None,
    }
    for name, value in required.items():
        found = content.get(name, value)
        if found != value:
            supported = f"only {value} is supported" if value else "this is not supported"
            raise UnusableCheckpoint(path=folder, reason=f"{name} is {found}, but {supported}")


def _require_valid_sizes(folder: Path, config: BertConfig) -> None:
    for field in fields(config):
        value = getattr(config, field.name)
        is_rate = isinstance(field.default, float)
        if not (isinstance(value, int | float) and value >= 0 if is_rate else isinstance(value, int) and value > 0):
            raise UnusableCheckpoint(path=folder, reason=f"{field.name} is {value!r} in config.json")
    if config.hidden_size % config.num_attention_heads:
        heads = config.num_attention_heads
        reason = f"hidden_size {config.hidden_size} is not a multiple of num_attention_heads {heads}"
        raise UnusableCheckpoint(path=folder, reason=reason)
