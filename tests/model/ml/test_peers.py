"""When transformers opens our folders on PyTorch, the ids are the same and the logits agree to within 1e-4."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from paths import STARTER

from ml.bert.config import BertConfig
from ml.bert.pretrained import read_checkpoint
from ml.text.labels import LABELS
from ml.text.tokenization import TokenBatch, WindowTokenizer

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

PROGRAM = Path(__file__).with_name("transformers_logits.py")
TOLERANCE = 1e-4
WINDOW = 128
TEXTS = [
    "This was a good movie. I would watch it again",
    "I cannot believe I have wasted time on this movie, it is the worst movie I have ever seen",
    "",
    "Naïve café-goers, don't!  10/10…\nÜber-fun; ¿no?",
    "最高の映画 😀 unbelievably supercalifragilistic [SEP] [MASK]",
    "A word and another word and one more word. " * 9,
]
DEEP = BertConfig(
    hidden_size=72,
    num_hidden_layers=7,
    num_attention_heads=6,
    intermediate_size=205,
    max_position_embeddings=150,
    type_vocab_size=3,
    layer_norm_eps=1e-5,
)


@dataclass(frozen=True)
class Pair:
    """A folder's tokenizer and network, and the peer's results for the same texts and batch."""

    folder: Path
    reader: WindowTokenizer
    network: keras.Model
    batch: TokenBatch
    peer: dict[str, Any]


def padded_batch(reader: WindowTokenizer) -> TokenBatch:
    """Return every window of the texts, padded as for training."""
    return reader.pad([window for ids in reader.token_ids(TEXTS) for window in reader.windows(ids)], 32)


@pytest.fixture(scope="module")
def pairs(
    peers_python: Path, random_bert: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Pair]:
    """Both folders, with results from one peer process."""
    folders = {"starter": STARTER, "deep": random_bert(tmp_path_factory.mktemp("deep") / "bert", DEEP)}
    readers = {name: WindowTokenizer.read(folder, WINDOW, 32) for name, folder in folders.items()}
    batches = {name: padded_batch(reader) for name, reader in readers.items()}
    jobs = [
        {
            "folder": str(folder),
            "texts": TEXTS,
            "input_ids": batches[name].input_ids.tolist(),
            "attention_mask": batches[name].attention_mask.tolist(),
        }
        for name, folder in folders.items()
    ]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [str(peers_python), str(PROGRAM)]
    result = subprocess.run(
        command, input=json.dumps(jobs), env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    answers = json.loads(result.stdout)
    return {
        name: Pair(folders[name], readers[name], read_checkpoint(folders[name]), batches[name], peer)
        for name, peer in zip(folders, answers, strict=True)
    }


@pytest.fixture(params=["starter", "deep"])
def pair(request: pytest.FixtureRequest, pairs: dict[str, Pair]) -> Pair:
    return pairs[request.param]


def logits(network: keras.Model, batch: TokenBatch) -> np.ndarray[Any, Any]:
    found = network({"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}, training=False)
    return keras.ops.convert_to_numpy(found)


def test_every_weight_is_loaded_into_the_right_architecture(pair: Pair) -> None:
    assert pair.peer["architecture"] == "BertForSequenceClassification"
    assert pair.peer["misfits"] == []
    assert tuple(pair.peer["labels"]) == LABELS


def test_the_tokenizer_gives_the_same_ids(pair: Pair) -> None:
    ours = [[pair.reader.cls_id, *ids, pair.reader.sep_id] for ids in pair.reader.token_ids(TEXTS)]
    assert max(map(len, ours)) <= WINDOW
    assert pair.peer["ids"] == ours


def test_a_padded_batch_gets_the_same_logits(pair: Pair) -> None:
    assert (pair.batch.attention_mask == 0).any()
    expected = np.array(pair.peer["batch"])
    np.testing.assert_allclose(logits(pair.network, pair.batch), expected, atol=TOLERANCE, rtol=0)
    assert np.ptp(expected, axis=0).min() > 100 * TOLERANCE, "the texts get different logits"


def test_texts_get_the_same_logits_with_each_sides_tokenizer(pair: Pair) -> None:
    for text, expected in zip(TEXTS, pair.peer["texts"], strict=True):
        (ids,) = pair.reader.token_ids([text])
        found = logits(pair.network, pair.reader.pad(pair.reader.windows(ids), 16))
        assert len(found) == 1, "one window"
        np.testing.assert_allclose(found[0], expected, atol=TOLERANCE, rtol=0)


def test_the_maximum_length_in_transformers_is_the_window(pairs: dict[str, Pair]) -> None:
    assert pairs["starter"].peer["longest"] == WINDOW
