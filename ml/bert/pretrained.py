"""Reads and writes Hugging Face folders: ``config.json``, ``model.safetensors`` and the tokenizer's files."""

import json
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ml.bert.config import BertConfig
from ml.bert.network import build_network
from ml.bert.weight_names import weight_names
from ml.errors import UnusableCheckpoint
from ml.text.labels import LABELS
from ml.text.tokenization import WindowTokenizer

WEIGHTS = "model.safetensors"
_HEAD = "classifier."
# Layers that a base encoder may lack, because fine-tuning trains them anyway.
_REPLACEABLE: Final = (_HEAD, "bert.pooler.")


def read_checkpoint(folder: Path, config: BertConfig | None = None) -> keras.Model:
    """Build the network in ``folder`` and load its weights.

    As in transformers, a missing pooler stays randomly initialised, and so does a classification head that is missing
    or has a different number of labels. Weight names may lack the ``bert.`` prefix, and may contain ``gamma`` and
    ``beta``, as in old TensorFlow exports. Raise UnusableCheckpoint if any other weight is missing or does not have the
    shape that ``config.json`` implies.
    """
    network = build_network(config or BertConfig.read(folder))
    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as stored:
            names = {_canonical(name): name for name in stored.keys()}  # noqa: SIM118 - safe_open is not a mapping
            has_other_labels = _number_of_labels(stored, names) not in (None, len(LABELS))
            for weight in weight_names(network):
                if weight.name not in names and weight.name.startswith(_REPLACEABLE):
                    continue
                if weight.name.startswith(_HEAD) and has_other_labels:
                    continue
                if weight.name not in names:
                    raise UnusableCheckpoint(path=folder, reason=f"{WEIGHTS} has no weight {weight.name}")
                values = stored.get_tensor(names[weight.name])
                values = values.T if weight.transposed else values
                if values.shape != tuple(weight.variable.shape):
                    reason = f"{weight.name} has shape {values.shape}, not {tuple(weight.variable.shape)}"
                    raise UnusableCheckpoint(path=folder, reason=reason)
                weight.variable.assign(values.astype(np.float32))
    except (OSError, SafetensorError) as error:
        raise UnusableCheckpoint(path=folder, reason=f"{WEIGHTS} cannot be read ({error})") from error
    return network


def stored_weight_names(folder: Path) -> set[str]:
    """Return the names of the weights in ``folder``, in the form that ``ml.bert.weight_names`` uses."""
    with safe_open(folder / WEIGHTS, framework="numpy") as stored:
        return set(map(_canonical, stored.keys()))


def write_checkpoint(folder: Path, network: keras.Model, config: BertConfig, tokenizer: WindowTokenizer) -> None:
    """Write a folder for ``AutoModelForSequenceClassification.from_pretrained``, with float16 weights."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(config.to_hugging_face(), indent=2) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")
    tensors = {}
    for weight in weight_names(network):
        values = keras.ops.convert_to_numpy(weight.variable)
        tensors[weight.name] = np.ascontiguousarray(values.T if weight.transposed else values, np.float16)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    tokenizer.save(folder)


def interpolate_weights(network: keras.Model, start: keras.Model, share: float) -> None:
    """Move each weight in ``network`` to a point between ``start``'s weight (``share`` 0) and its own (``share`` 1).

    An interpolated model keeps most of what it learned and forgets less (Wortsman et al. 2022, "Robust fine-tuning of
    zero-shot models").
    """
    for weight, before in zip(weight_names(network), weight_names(start), strict=True):
        old, new = (keras.ops.convert_to_numpy(each.variable) for each in (before, weight))
        weight.variable.assign(old + np.float32(share) * (new - old))


def _number_of_labels(stored: Any, names: dict[str, str]) -> int | None:
    """Return the number of labels in the stored classification head, or None if there is no head."""
    bias = names.get(f"{_HEAD}bias")
    return None if bias is None else int(stored.get_slice(bias).get_shape()[0])


def _canonical(name: str) -> str:
    name = name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
    return name if name.startswith(("bert.", _HEAD)) else f"bert.{name}"
