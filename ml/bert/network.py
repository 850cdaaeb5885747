"""BERT with a classification head, in Keras 3.

The arithmetic follows Devlin et al. 2019 (post-norm encoder, exact GELU, tanh pooler over the first token). Plain
Dense layers, reshapes and matrix products train and predict faster on a CPU than einsum layers. The variables' Hugging
Face names are in ``ml.bert.weight_names``.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ml.bert.config import BertConfig
from ml.bert.dropout import Dropout
from ml.bert.gelu import gelu


def build_network(config: BertConfig) -> keras.Model:
    """Build a model that maps token ids to logits (batch, labels) float32.

    The inputs are ``input_ids`` and ``attention_mask`` (batch, tokens) int32.

    Top-level layers are named as in transformers' summary: ``bert``, ``dropout``, ``classifier``.
    """
    input_ids = keras.Input((None,), dtype="int32", name="input_ids")
    attention_mask = keras.Input((None,), dtype="int32", name="attention_mask")
    pooled = BertLayer(config, name="bert")(input_ids, attention_mask)
    pooled = Dropout(config.hidden_dropout_prob, name="dropout")(pooled)
    logits = keras.layers.Dense(
        config.num_labels, kernel_initializer=_initializer(), dtype="float32", name="classifier"
    )(pooled)
    return keras.Model({"input_ids": input_ids, "attention_mask": attention_mask}, logits, name="thumbs")


class BertLayer(keras.layers.Layer):
    """Embeddings, encoder blocks and pooler, which map token ids (batch, tokens) to pooled vectors (batch, hidden)."""

    def __init__(self, config: BertConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.embeddings = EmbeddingsLayer(config, name="embeddings")
        last = config.num_hidden_layers - 1
        # Only the first token reaches the pooler, so the last block computes only that token.
        self.blocks = [EncoderBlock(config, index == last, name=f"layer_{index}") for index in range(last + 1)]
        self.pooler = _dense(config.hidden_size, "pooler", activation="tanh")

    def build(self, input_ids_shape: Any, attention_mask_shape: Any) -> None:
        """Create all variables. The variables work for inputs of any length."""
        hidden = (None, None, self.config.hidden_size)
        self.embeddings.build(input_ids_shape)
        for block in self.blocks:
            block.build(hidden, None)
        self.pooler.build((None, self.config.hidden_size))
        self.built = True

    def call(self, input_ids: Any, attention_mask: Any, training: bool = False) -> Any:
        """Return the pooled vectors of the first tokens (batch, hidden)."""
        hidden = self.embeddings(input_ids, training=training)
        return self.pooler(apply_blocks(self.blocks, hidden, attention_mask, training)[:, 0])

    def compute_output_shape(self, input_ids_shape: Any, attention_mask_shape: Any) -> tuple[Any, int]:
        """Return (batch, hidden)."""
        return (input_ids_shape[0], self.config.hidden_size)


def apply_blocks(blocks: Sequence["EncoderBlock"], hidden: Any, attention_mask: Any, training: bool) -> Any:
    """Apply ``blocks`` to vectors (batch, tokens, hidden). The mask (batch, tokens) hides padding."""
    bias = (1.0 - ops.cast(attention_mask, hidden.dtype)) * -1e4
    bias = bias[:, None, None, :]
    for block in blocks:
        hidden = block(hidden, bias, training=training)
    return hidden


def _with_dense_gradient(table: Any) -> Any:
    """Return ``table`` with a dense gradient, which it already has on every backend except TensorFlow.

    TensorFlow's sparse gradient has one row per token, so a global norm would treat two occurrences of a word as two
    separate gradients instead of adding them up.
    """
    if keras.backend.backend() != "tensorflow":
        return table
    import tensorflow as tf  # noqa: PLC0415 - the other Keras backends work without TensorFlow

    return tf.custom_gradient(lambda values: (values, tf.convert_to_tensor))(table)


class EmbeddingsLayer(keras.layers.Layer):
    """Word, position and segment embeddings, summed and normalised. Every text is one segment."""

    def __init__(self, config: BertConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.norm = _norm(config, "layer_norm")
        self.dropout = Dropout(config.hidden_dropout_prob, dtype="float32")

    def build(self, input_shape: Any) -> None:
        """Create the three embedding tables and the normalisation layer."""
        size = self.config.hidden_size
        self.words = self._add_table(self.config.vocab_size, "word_embeddings")
        self.positions = self._add_table(self.config.max_position_embeddings, "positions")
        self.segments = self._add_table(self.config.type_vocab_size, "segments")
        self.norm.build((None, None, size))
        self.built = True

    def call(self, input_ids: Any, training: bool = False) -> Any:
        """Return vectors (batch, tokens, hidden)."""
        length = ops.shape(input_ids)[1]
        words = ops.take(_with_dense_gradient(ops.convert_to_tensor(self.words)), input_ids, axis=0)
        positions = ops.convert_to_tensor(self.positions)[:length]
        hidden = words + positions[None] + ops.convert_to_tensor(self.segments)[0]
        return self.dropout(self.norm(hidden), training=training)

    def _add_table(self, rows: int, name: str) -> Any:
        # Use float32 under every dtype policy: a frequent word's gradient is a sum over hundreds of positions, too many
        # for bfloat16's eight bits, and a cast would convert every row although the batch needs only a few.
        return self.add_weight((rows, self.config.hidden_size), _initializer(), autocast=False, name=name)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return (batch, tokens, hidden)."""
        return (*input_shape, self.config.hidden_size)


class EncoderBlock(keras.layers.Layer):
    """Self-attention and a feed-forward network, each added to its input and normalised.

    With ``first_only``, the block computes only the first token (batch, 1, hidden). The values are the same, but cost
    less to compute.
    """

    def __init__(self, config: BertConfig, first_only: bool, **kwargs: Any) -> None:
        # Inputs and outputs are float32, and the Dense layers do the casting.
        super().__init__(autocast=False, **kwargs)
        self.config = config
        self.first_only = first_only
        self.query = _dense(config.hidden_size, "query")
        self.key = _dense(config.hidden_size, "key")
        self.value = _dense(config.hidden_size, "value")
        self.attention_output = _dense(config.hidden_size, "attention_output")
        self.attention_norm = _norm(config, "attention_norm")
        self.intermediate = _dense(config.intermediate_size, "intermediate")
        self.output_dense = _dense(config.hidden_size, "output")
        self.output_norm = _norm(config, "output_norm")
        self.attention_dropout = Dropout(config.attention_probs_dropout_prob)
        self.hidden_dropout = Dropout(config.hidden_dropout_prob)

    def build(self, hidden_shape: Any, bias_shape: Any) -> None:
        """Create the block's variables."""
        inner = (None, None, self.config.intermediate_size)
        for layer in (self.query, self.key, self.value, self.attention_output, self.intermediate):
            layer.build(hidden_shape)
        self.output_dense.build(inner)
        self.attention_norm.build(hidden_shape)
        self.output_norm.build(hidden_shape)
        self.built = True

    def call(self, hidden: Any, bias: Any, training: bool = False) -> Any:
        """Transform vectors (batch, tokens, hidden). ``bias`` (batch, 1, 1, tokens) hides padding."""
        queries = hidden[:, :1] if self.first_only else hidden
        attended = self.attention_output(self._attend(queries, hidden, bias, training))
        hidden = self.attention_norm(ops.add(queries, self.hidden_dropout(attended, training=training)))
        inner = self.output_dense(gelu(self.intermediate(hidden)))
        return self.output_norm(ops.add(hidden, self.hidden_dropout(inner, training=training)))

    def _attend(self, queries: Any, hidden: Any, bias: Any, training: bool) -> Any:
        query = self._heads(self.query(queries) * (self.config.head_size**-0.5))
        scores = ops.matmul(query, ops.swapaxes(self._heads(self.key(hidden)), 2, 3))
        scores += ops.cast(bias, scores.dtype)
        weights = self.attention_dropout(ops.softmax(scores), training=training)
        mixed = ops.transpose(ops.matmul(weights, self._heads(self.value(hidden))), (0, 2, 1, 3))
        return ops.reshape(mixed, ops.shape(queries))

    def _heads(self, hidden: Any) -> Any:
        """Reshape (batch, tokens, hidden) to (batch, heads, tokens, head size)."""
        batch, length = ops.shape(hidden)[0], ops.shape(hidden)[1]
        split = ops.reshape(hidden, (batch, length, self.config.num_attention_heads, self.config.head_size))
        return ops.transpose(split, (0, 2, 1, 3))

    def compute_output_shape(self, hidden_shape: Any, bias_shape: Any) -> Any:
        """Return (batch, tokens or 1, hidden)."""
        return (hidden_shape[0], 1, hidden_shape[2]) if self.first_only else hidden_shape


def _dense(units: int, name: str, activation: str | None = None) -> keras.layers.Dense:
    return keras.layers.Dense(units, activation=activation, kernel_initializer=_initializer(), name=name)


def _norm(config: BertConfig, name: str) -> keras.layers.LayerNormalization:
    # Use float32 under every dtype policy, as for the residual stream that the layer normalises.
    return keras.layers.LayerNormalization(epsilon=config.layer_norm_eps, dtype="float32", name=name)


def _initializer() -> keras.initializers.Initializer:
    # Create a new initializer each time, because an initializer draws its seed once and then always returns the same
    # values.
    return keras.initializers.TruncatedNormal(stddev=0.02)
