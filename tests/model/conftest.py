"""Small BERT models with weights so large that a wrong network would give different logits."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from small_model import CONFIG, RECIPE, FineTuneResult, RandomBert, run_fine_tune, write_reviews

from ml.bert.config import BertConfig
from ml.data.reviews import read_reviews
from ml.text.tokenization import WindowTokenizer
from ml.training.base_model import DEFAULT_BASE_MODEL, BaseModel, find_base_model
from ml.training.dataset_splits import DatasetSplits


@pytest.fixture(scope="session")
def reader() -> WindowTokenizer:
    """The packaged encoder's tokenizer, with short windows."""
    return WindowTokenizer.read(find_base_model(DEFAULT_BASE_MODEL).folder, 32, 8)


def whole_multiples(rng: np.random.Generator, rows: int, columns: int, size: float) -> np.ndarray:
    """Return a matrix with a standard deviation of about ``size``.

    Both float16 and int8 with one scale per row represent the matrix exactly.
    """
    whole = rng.integers(-127, 128, (rows, columns))
    whole[:, 0] = 127
    return whole * 2.0 ** round(np.log2(size / 73))


@pytest.fixture(scope="session")
def random_bert(reader: WindowTokenizer) -> RandomBert:
    """Return a function that writes a BERT model with random weights that are exact in both float16 and int8."""
    # TensorFlow takes seconds to import, and not every test here needs it.
    from ml.bert.network import build_network
    from ml.bert.pretrained import write_checkpoint
    from ml.bert.weight_names import weight_names

    def write(folder: Path, config: BertConfig, seed: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        network = build_network(config)
        for weight in weight_names(network):
            shape = tuple(weight.variable.shape)
            # Features and norms are about one, and all other weights are large enough to affect the result.
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


@pytest.fixture(scope="session")
def small_reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled sentences that we wrote ourselves."""
    return write_reviews(tmp_path_factory.mktemp("reviews") / "reviews.csv")


@pytest.fixture(scope="session")
def small_base(random_bert: RandomBert, tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    """A small encoder without a head, as if it had been downloaded."""
    from ml.bert.pretrained import WEIGHTS

    folder = random_bert(tmp_path_factory.mktemp("base") / "bert", CONFIG)
    weights = {name: values for name, values in load_file(folder / WEIGHTS).items() if "classifier" not in name}
    save_file(weights, folder / WEIGHTS)
    return BaseModel("a small encoder", folder)


@pytest.fixture(scope="session")
def fine_tuned(small_base: BaseModel, small_reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> FineTuneResult:
    """The small encoder after fine-tuning on ``small_reviews``."""
    from ml.training.fine_tune import FineTuneJob

    training_set = DatasetSplits.from_reviews(read_reviews(small_reviews), small_reviews, RECIPE, None).training_set()
    return run_fine_tune(FineTuneJob(small_base, training_set, RECIPE, tmp_path_factory.mktemp("models") / "mine"))
