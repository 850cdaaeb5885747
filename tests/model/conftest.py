"""Small BERTs whose weights are large enough that a wrong network gives other logits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ml.base_model import DEFAULT, find_base_model
from ml.bert_config import BertConfig
from ml.tokens import TextReader

RandomBert = Callable[..., Path]


@pytest.fixture(scope="session")
def reader() -> TextReader:
    """The packaged encoder's tokenizer, with short windows."""
    return TextReader.read(find_base_model(DEFAULT).folder, 32, 8)


def whole_multiples(rng: np.random.Generator, rows: int, columns: int, size: float) -> np.ndarray:
    """A matrix of standard deviation ``size``, about, that float16 holds exactly, and int8 with one scale a row too."""
    whole = rng.integers(-127, 128, (rows, columns))
    whole[:, 0] = 127
    return whole * 2.0 ** round(np.log2(size / 73))


@pytest.fixture(scope="session")
def random_bert(reader: TextReader) -> RandomBert:
    """Writes a folder with a BERT of random weights, which neither float16 nor int8 rounds."""
    # TensorFlow takes seconds to import, and not every test here needs it.
    from ml.checkpoint import write_checkpoint
    from ml.network import build_network, weight_names

    def write(folder: Path, config: BertConfig, seed: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        network = build_network(config)
        for weight in weight_names(network):
            shape = tuple(weight.variable.shape)
            # Features of about size one all the way, norms about one, and everything else of a size that shows.
            if weight.transposed:
                values = whole_multiples(rng, shape[1], shape[0], 2.5 * shape[0] ** -0.5).T
            elif len(shape) == 2:
                values = whole_multiples(rng, *shape, 0.3)
            else:
                values = rng.normal(weight.name.endswith("LayerNorm.weight"), 0.1, shape).astype(np.float16)
            weight.variable.assign(values)
        write_checkpoint(folder, network, config, reader)
        return folder

    return write
