"""Builds the BERT defined in ``ml.bert.network`` from OpenVINO operations, directly from a Hugging Face folder.

Matrices are quantised to int8 with one scale per output row (symmetric, absolute maximum), and the engine quantises
activations at run time. With "float32", the matrices are not quantised, which shows how much accuracy quantisation
costs. Neither TensorFlow nor a conversion step is needed, and a folder loads in a second.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset15 as op
from safetensors import SafetensorError, safe_open

from ml.bert.config import BertConfig
from ml.errors import UnusableCheckpoint
from ml.serving.review_head import ReviewHead

Precision = Literal["int8", "float32"]
# _MASK_SCORE is added to the scores of padding. These are arrays, because plain numbers would become constants of a
# different type.
_MASK_SCORE = np.array(-1e4, np.float32)
_ONE = np.array(1.0, np.float32)
# The upper blocks' vectors tell more about a text's sentiment than those of the lower blocks.
_VECTOR_BLOCKS = 4


def build_graph(folder: Path, precision: Precision, review_head: ReviewHead | None = None) -> ov.Model:
    """Build a graph that maps token ids to logits (batch, labels) float32.

    The inputs are ``input_ids`` and ``attention_mask`` (batch, tokens) int32.

    With a review head, the second output is its score (batch,) float32. Raise UnusableCheckpoint if the weights cannot
    be read, or if a weight is missing or has the wrong shape.
    """
    return _build(folder, precision, lambda builder: builder.build(review_head))


def build_feature_graph(folder: Path, layer: int) -> ov.Model:
    """Build a graph for a review head's features: the mean hidden state (batch, hidden size).

    The inputs are those of ``build_graph``, and ``layer`` is the number of blocks to run. Raise UnusableCheckpoint for
    the same reasons as ``build_graph``.
    """
    return _build(folder, "int8", lambda builder: builder.build_features(layer))


def build_vector_graph(folder: Path) -> ov.Model:
    """Build a graph for the logits and for vectors from the upper blocks (batch, numbers).

    The inputs are those of ``build_graph``. The vectors are the first token's vector and the mean of all tokens'
    vectors, after each of the last four blocks. Raise UnusableCheckpoint for the same reasons as ``build_graph``.
    """
    return _build(folder, "int8", lambda builder: builder.build_vectors())


def _build(folder: Path, precision: Precision, build: Callable[["_GraphBuilder"], ov.Model]) -> ov.Model:
    config = BertConfig.read(folder)
    try:
        with safe_open(folder / "model.safetensors", framework="numpy") as weights:
            return build(_GraphBuilder(folder, config, weights, precision))
    except (OSError, SafetensorError) as error:
        raise UnusableCheckpoint(path=folder, reason=f"model.safetensors cannot be read ({error})") from error


class _GraphBuilder:
    """Connects the operations of one BERT model, and checks that each weight has the shape that the config implies.

    Each weight is read from the open file ``weights`` only when it is needed. So a bot that loads a model alongside the
    live one needs memory for the graph and one matrix, but not for the whole file.
    """

    def __init__(self, folder: Path, config: BertConfig, weights: Any, precision: Precision) -> None:
        self.folder = folder
        self.config = config
        self.weights = weights
        self.names = frozenset(weights.keys())
        self.precision = precision

    def build(self, review_head: ReviewHead | None) -> ov.Model:
        inputs, hidden, bias = self._start()
        scores = []
        last = self.config.num_hidden_layers - 1
        for index in range(last):
            if review_head is not None and review_head.layer == index:
                scores = [self._score(hidden, inputs[1], review_head)]
            hidden = self._block(f"bert.encoder.layer.{index}", hidden, hidden, bias)
        if review_head is not None and review_head.layer == last:
            scores = [self._score(hidden, inputs[1], review_head)]
        # Only the first token reaches the classifier, so the last block computes only that token.
        first = op.slice(hidden, [0], [1], [1], [1])
        hidden = self._block(f"bert.encoder.layer.{last}", hidden, first, bias)
        return ov.Model([self._logits(hidden), *scores], list(inputs), "bert")

    def build_vectors(self) -> ov.Model:
        inputs, hidden, bias = self._start()
        vectors = []
        blocks = self.config.num_hidden_layers
        for index in range(blocks):
            hidden = self._block(f"bert.encoder.layer.{index}", hidden, hidden, bias)
            if index >= blocks - _VECTOR_BLOCKS:
                vectors += [op.squeeze(op.slice(hidden, [0], [1], [1], [1]), [1]), _mean(hidden, inputs[1])]
        first = op.slice(hidden, [0], [1], [1], [1])
        return ov.Model([self._logits(first), op.concat(vectors, 1)], list(inputs), "vectors")

    def _logits(self, first: Any) -> Any:
        """Add the pooler and the classifier over the first tokens (batch, 1, hidden)."""
        size = self.config.hidden_size
        pooled = op.tanh(self._dense("bert.pooler.dense", op.squeeze(first, [1]), size, size))
        logits = self._dense("classifier", pooled, size, self.config.num_labels)
        logits.output(0).set_names({"logits"})
        return logits

    def build_features(self, layer: int) -> ov.Model:
        inputs, hidden, bias = self._start()
        for index in range(layer):
            hidden = self._block(f"bert.encoder.layer.{index}", hidden, hidden, bias)
        return ov.Model([_mean(hidden, inputs[1])], list(inputs), "features")

    def _start(self) -> tuple[tuple[Any, Any], Any, Any]:
        """Return the inputs, the embedded tokens, and the bias that keeps attention away from padding."""
        input_ids = op.parameter([-1, -1], np.int32, name="input_ids")
        attention_mask = op.parameter([-1, -1], np.int32, name="attention_mask")
        bias = (_ONE - op.convert(attention_mask, "f32")) * _MASK_SCORE
        return (input_ids, attention_mask), self._embed(input_ids), op.unsqueeze(bias, [1, 2])

    def _score(self, hidden: Any, attention_mask: Any, head: ReviewHead) -> Any:
        product = op.matmul(_mean(hidden, attention_mask), op.constant(head.weights[:, None]), False, False)
        return op.squeeze(product, [1]) + op.constant(np.array(head.bias, np.float32))

    def _embed(self, input_ids: Any) -> Any:
        config, size = self.config, self.config.hidden_size
        words = op.gather(self._matrix("bert.embeddings.word_embeddings.weight", config.vocab_size, size), input_ids, 0)
        length = op.gather(op.shape_of(input_ids, "i64"), op.constant(np.array([1])), 0)
        positions = self._weight("bert.embeddings.position_embeddings.weight", config.max_position_embeddings, size)
        positions = op.slice(positions, [0], length, [1], [0])
        segment = self._weight("bert.embeddings.token_type_embeddings.weight", config.type_vocab_size, size)[:1]
        return self._norm("bert.embeddings.LayerNorm", words + positions + op.constant(segment))

    def _block(self, name: str, hidden: Any, queries: Any, bias: Any) -> Any:
        """Add one encoder block, which computes the tokens in ``queries``, with attention over all of ``hidden``."""
        size, inner_size = self.config.hidden_size, self.config.intermediate_size
        mixed = self._attend(f"{name}.attention.self", hidden, queries, bias)
        attended = self._dense(f"{name}.attention.output.dense", mixed, size, size)
        queries = self._norm(f"{name}.attention.output.LayerNorm", queries + attended)
        inner = op.gelu(self._dense(f"{name}.intermediate.dense", queries, size, inner_size), "erf")
        outer = self._dense(f"{name}.output.dense", inner, inner_size, size)
        return self._norm(f"{name}.output.LayerNorm", queries + outer)

    def _attend(self, name: str, hidden: Any, queries: Any, bias: Any) -> Any:
        size = self.config.hidden_size
        query = self._heads(self._dense(f"{name}.query", queries, size, size))
        key = self._heads(self._dense(f"{name}.key", hidden, size, size))
        value = self._heads(self._dense(f"{name}.value", hidden, size, size))
        mixed = op.scaled_dot_product_attention(query, key, value, bias)
        return op.reshape(op.transpose(mixed, [0, 2, 1, 3]), [0, 0, size], special_zero=True)

    def _heads(self, hidden: Any) -> Any:
        shape = [0, 0, self.config.num_attention_heads, self.config.head_size]
        return op.transpose(op.reshape(hidden, shape, special_zero=True), [0, 2, 1, 3])

    def _dense(self, name: str, hidden: Any, features: int, units: int) -> Any:
        matrix = self._matrix(f"{name}.weight", units, features)
        product = op.matmul(hidden, matrix, transpose_a=False, transpose_b=True)
        return product + op.constant(self._weight(f"{name}.bias", units))

    def _norm(self, name: str, hidden: Any) -> Any:
        size = self.config.hidden_size
        normal = op.mvn(hidden, [-1], True, self.config.layer_norm_eps, "INSIDE_SQRT")
        scaled = normal * op.constant(self._weight(f"{name}.weight", size))
        return scaled + op.constant(self._weight(f"{name}.bias", size))

    def _matrix(self, name: str, rows: int, columns: int) -> Any:
        """Add a matrix (rows, columns) in int8 with one scale per row. The engine does not convert it back to float."""
        values = self._weight(name, rows, columns)
        if self.precision == "float32":
            return op.constant(values)
        largest = np.maximum(values.max(axis=1, keepdims=True), -values.min(axis=1, keepdims=True))
        scale = np.maximum(largest / 127.0, np.float32(1e-8))
        # In place, because a second copy of the word embeddings would take more memory than the finished graph.
        values /= scale
        whole = op.constant(np.rint(values, out=values).astype(np.int8))
        return op.convert(whole, "f32") * op.constant(scale.astype(np.float32))

    def _weight(self, name: str, *shape: int) -> npt.NDArray[np.float32]:
        if name not in self.names:
            raise UnusableCheckpoint(path=self.folder, reason=f"model.safetensors has no weight {name}")
        values = self.weights.get_tensor(name)
        if values.shape != shape:
            reason = f"{name} has shape {values.shape}, not {shape} as config.json says"
            raise UnusableCheckpoint(path=self.folder, reason=reason)
        converted: npt.NDArray[np.float32] = values.astype(np.float32)
        return converted


def _mean(hidden: Any, attention_mask: Any) -> Any:
    """Add the mean of the hidden states (batch, tokens, hidden size) over the tokens that are not padding."""
    mask = op.unsqueeze(op.convert(attention_mask, "f32"), [2])
    axis = np.array([1])
    return op.reduce_sum(hidden * mask, axis, False) / op.reduce_sum(mask, axis, False)
