"""Splits a network in two, so that the upper part can be trained on the cached outputs of the lower part."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from ml.bert.network import BertLayer, apply_blocks


class LowerLayer(keras.layers.Layer):
    """Maps token ids to vectors (batch, tokens, hidden) with the embeddings and lowest blocks in inference mode."""

    def __init__(self, bert: BertLayer, blocks: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.embeddings = bert.embeddings
        self.blocks = bert.blocks[:blocks]

    def call(self, input_ids: Any, attention_mask: Any) -> Any:
        """Return vectors (batch, tokens, hidden)."""
        return apply_blocks(self.blocks, self.embeddings(input_ids, training=False), attention_mask, training=False)


class UpperLayer(keras.layers.Layer):
    """Maps vectors (batch, tokens, hidden) to pooled vectors (batch, hidden) with the remaining blocks and pooler."""

    def __init__(self, bert: BertLayer, blocks: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blocks = bert.blocks[blocks:]
        self.pooler = bert.pooler

    def call(self, hidden: Any, attention_mask: Any, training: bool = False) -> Any:
        """Return the pooled vectors of the first tokens (batch, hidden)."""
        hidden = ops.cast(hidden, "float32")
        return self.pooler(apply_blocks(self.blocks, hidden, attention_mask, training)[:, 0])


@dataclass(frozen=True, slots=True)
class SplitNetwork:
    """Two models that share a network's variables. Applying ``upper`` to the outputs of ``lower`` gives the logits."""

    lower: keras.Model
    upper: keras.Model


def split_network(network: keras.Model, blocks: int) -> SplitNetwork:
    """Split a network from ``build_network`` above its embeddings and lowest ``blocks``.

    The lower part takes the same inputs as the network. The upper part takes ``hidden`` (batch, tokens, hidden size)
    float32 and ``attention_mask`` (batch, tokens) int32, and can be trained alone.
    """
    bert: BertLayer = network.get_layer("bert")
    input_ids = keras.Input((None,), dtype="int32", name="input_ids")
    hidden = keras.Input((None, bert.config.hidden_size), dtype="float32", name="hidden")
    attention_mask = keras.Input((None,), dtype="int32", name="attention_mask")
    below = LowerLayer(bert, blocks, name="lower")(input_ids, attention_mask)
    pooled = UpperLayer(bert, blocks, name="upper")(hidden, attention_mask)
    logits = network.get_layer("classifier")(network.get_layer("dropout")(pooled))
    return SplitNetwork(
        keras.Model({"input_ids": input_ids, "attention_mask": attention_mask}, below),
        keras.Model({"hidden": hidden, "attention_mask": attention_mask}, logits),
    )
