"""The small network: the lowest blocks of the packaged encoder, fine-tuned on a part of IMDB."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.common.arguments import parameters
from ml.training.recipe import Recipe
from tests.small_model import run_fine_tune, write_recipe

# What people write is shorter; of a review it is the first paragraph.
_WINDOW: Final = 64


def _short(recipe: Recipe) -> Recipe:
    """The recipe, reading the first words of a review only, which takes less time."""
    return replace(recipe, reading="head", window=_WINDOW, overlap=0)


DEFAULT: Final = _short(Recipe.load("default"))
FEEDBACK: Final = _short(Recipe.load("feedback"))


@dataclass(frozen=True, slots=True)
class SmallNetwork:
    """A published model that feedback rounds start from, and the file of reviews that it was trained on."""

    anchor: Path
    reviews: Path
    parameters: int
    layers: int

    def recipe(self, seed: int) -> Recipe:
        """The recipe ``feedback``: the embeddings and, as in the whole network, a third of the blocks stay."""
        return replace(FEEDBACK, frozen_layers=self.layers // 3, seed=seed)

    def write_recipe(self, folder: Path, seed: int) -> Path:
        """The recipe as a file that the settings can name."""
        return write_recipe(folder, self.recipe(seed))


def make_network(folder: Path, reviews: Path, layers: int) -> SmallNetwork:
    """Fine-tune the encoder's lowest ``layers`` blocks on ``reviews`` in ``folder``; takes minutes."""
    # TensorFlow takes seconds to load, and a question about the options does not need it.
    from ml.bert.config import BertConfig  # noqa: PLC0415
    from ml.bert.pretrained import read_checkpoint, write_checkpoint  # noqa: PLC0415
    from ml.data.reviews import read_reviews  # noqa: PLC0415
    from ml.text.tokenization import WindowTokenizer  # noqa: PLC0415
    from ml.training.base_model import BaseModel, find_base_model  # noqa: PLC0415
    from ml.training.dataset_splits import DatasetSplits  # noqa: PLC0415
    from ml.training.fine_tune import FineTuneJob  # noqa: PLC0415

    whole = find_base_model(DEFAULT.base).folder
    config = replace(BertConfig.read(whole), num_hidden_layers=layers)
    reader = WindowTokenizer.read(whole, DEFAULT.window, DEFAULT.overlap, DEFAULT.reading)
    write_checkpoint(folder / "encoder", read_checkpoint(whole, config), config, reader)
    training_set = DatasetSplits.from_reviews(read_reviews(reviews), reviews, DEFAULT, None).training_set()
    base = BaseModel(f"{DEFAULT.base}, {layers} blocks", folder / "encoder")
    done = run_fine_tune(FineTuneJob(base, training_set, DEFAULT, folder / "anchor"))
    return SmallNetwork(done.job.out, reviews, parameters(done.job.out), layers)
