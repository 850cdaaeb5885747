"""Maps a network's variables to their Hugging Face weight names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from ml.bert.network import BertLayer, EncoderBlock


@dataclass(frozen=True, slots=True)
class NamedWeight:
    """A variable, its Hugging Face name, and whether the file stores its transpose, as PyTorch's Linear does."""

    name: str
    variable: Any
    transposed: bool = False


def weight_names(network: keras.Model) -> Iterator[NamedWeight]:
    """Yield every weight of a network from ``build_network`` with its Hugging Face name."""
    bert: BertLayer = network.get_layer("bert")
    embeddings = bert.embeddings
    yield NamedWeight("bert.embeddings.word_embeddings.weight", embeddings.words)
    yield NamedWeight("bert.embeddings.position_embeddings.weight", embeddings.positions)
    yield NamedWeight("bert.embeddings.token_type_embeddings.weight", embeddings.segments)
    yield from _norm_names("bert.embeddings.LayerNorm", embeddings.norm)
    for index, block in enumerate(bert.blocks):
        yield from _block_names(f"bert.encoder.layer.{index}", block)
    yield from _dense_names("bert.pooler.dense", bert.pooler)
    yield from _dense_names("classifier", network.get_layer("classifier"))


def _block_names(prefix: str, block: EncoderBlock) -> Iterator[NamedWeight]:
    yield from _dense_names(f"{prefix}.attention.self.query", block.query)
    yield from _dense_names(f"{prefix}.attention.self.key", block.key)
    yield from _dense_names(f"{prefix}.attention.self.value", block.value)
    yield from _dense_names(f"{prefix}.attention.output.dense", block.attention_output)
    yield from _norm_names(f"{prefix}.attention.output.LayerNorm", block.attention_norm)
    yield from _dense_names(f"{prefix}.intermediate.dense", block.intermediate)
    yield from _dense_names(f"{prefix}.output.dense", block.output_dense)
    yield from _norm_names(f"{prefix}.output.LayerNorm", block.output_norm)


def _dense_names(prefix: str, dense: keras.layers.Dense) -> Iterator[NamedWeight]:
    yield NamedWeight(f"{prefix}.weight", dense.kernel, transposed=True)
    yield NamedWeight(f"{prefix}.bias", dense.bias)


def _norm_names(prefix: str, norm: keras.layers.LayerNormalization) -> Iterator[NamedWeight]:
    yield NamedWeight(f"{prefix}.weight", norm.gamma)
    yield NamedWeight(f"{prefix}.bias", norm.beta)
