"""Creates the small network: the lowest layers of the packaged encoder, fine-tuned on some IMDB reviews."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.common.thumbs_command import count_parameters
from ml.training.recipe import Recipe
from tests.small_model import run_fine_tune, write_recipe

# In tokens. A window is longer than people's sentences and covers the first paragraph of a review.
_WINDOW: Final = 64


def _with_short_windows(recipe: Recipe) -> Recipe:
    """Return a faster version of the recipe, which reads only a short first window of each review."""
    return replace(recipe, reading="head", window=_WINDOW, overlap=0)


DEFAULT: Final = _with_short_windows(Recipe.load("default"))
FEEDBACK: Final = _with_short_windows(Recipe.load("feedback"))


@dataclass(frozen=True, slots=True)
class PoisonNetwork:
    """The anchor for the feedback rounds, and the file with the reviews that the anchor was trained on."""

    anchor: Path
    reviews: Path
    parameters: int
    layers: int

    def recipe(self, seed: int) -> Recipe:
        """Return the ``feedback`` recipe.

        The embeddings and a third of the layers are frozen, as in the full network.
        """
        return replace(FEEDBACK, frozen_layers=self.layers // 3, seed=seed)

    def write_recipe(self, folder: Path, seed: int) -> Path:
        """Write the recipe to a file, so that a setting can refer to it."""
        return write_recipe(folder, self.recipe(seed))


def make_network(folder: Path, reviews: Path, layers: int) -> PoisonNetwork:
    """Fine-tune the encoder's lowest ``layers`` layers on ``reviews`` in ``folder``. This takes minutes."""
    # Importing TensorFlow takes seconds, and --help does not need it.
    from ml.bert.config import BertConfig  # noqa: PLC0415
    from ml.bert.pretrained import read_checkpoint, write_checkpoint  # noqa: PLC0415
    from ml.data.reviews import read_reviews  # noqa: PLC0415
    from ml.text.tokenization import WindowTokenizer  # noqa: PLC0415
    from ml.training.base_model import BaseModel, find_base_model  # noqa: PLC0415
    from ml.training.dataset_splits import DatasetSplits  # noqa: PLC0415
    from ml.training.fine_tune import FineTuneJob  # noqa: PLC0415

    whole = find_base_model(DEFAULT.base).folder
    config = replace(BertConfig.read(whole), num_hidden_layers=layers)
    tokenizer = WindowTokenizer.read(whole, DEFAULT.window, DEFAULT.overlap, DEFAULT.reading)
    write_checkpoint(folder / "encoder", read_checkpoint(whole, config), config, tokenizer)
    training_set = DatasetSplits.from_reviews(read_reviews(reviews), reviews, DEFAULT, None).training_set()
    base = BaseModel(f"{DEFAULT.base}, {layers} layers", folder / "encoder")
    trained = run_fine_tune(FineTuneJob(base, training_set, DEFAULT, folder / "anchor"))
    return PoisonNetwork(trained.job.out, reviews, count_parameters(trained.job.out), layers)
