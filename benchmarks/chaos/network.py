"""The small network that is trained over and over: random weights, fine-tuned on sentences of our own."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.arguments import parameters
from tests.small_model import CONFIG, FEEDBACK, RECIPE, run_fine_tune, write_recipe, write_reviews


@dataclass(frozen=True, slots=True)
class SmallNetwork:
    """A published model that feedback rounds start from, the recipe of those, and the reviews it was trained on."""

    anchor: Path
    version: str
    recipe: Path
    reviews: Path
    parameters: int
    layers: int


def make_network(folder: Path) -> SmallNetwork:
    """Train the anchor in ``folder``; takes seconds."""
    # TensorFlow takes seconds to load, and a question about the options does not need it.
    from keras.utils import set_random_seed  # noqa: PLC0415

    from ml.bert.network import build_network  # noqa: PLC0415
    from ml.bert.pretrained import write_checkpoint  # noqa: PLC0415
    from ml.data.reviews import read_reviews  # noqa: PLC0415
    from ml.text.tokenization import WindowTokenizer  # noqa: PLC0415
    from ml.training.base_model import DEFAULT_BASE_MODEL, BaseModel, find_base_model  # noqa: PLC0415
    from ml.training.dataset_splits import DatasetSplits  # noqa: PLC0415
    from ml.training.fine_tune import FineTuneJob  # noqa: PLC0415

    reviews = write_reviews(folder / "reviews.csv")
    reader = WindowTokenizer.read(find_base_model(DEFAULT_BASE_MODEL).folder, RECIPE.window, RECIPE.overlap)
    set_random_seed(RECIPE.seed)
    write_checkpoint(folder / "encoder", build_network(CONFIG), CONFIG, reader)
    training_set = DatasetSplits.from_reviews(read_reviews(reviews), reviews, RECIPE, None).training_set()
    done = run_fine_tune(
        FineTuneJob(BaseModel("random weights", folder / "encoder"), training_set, RECIPE, folder / "anchor")
    )
    return SmallNetwork(
        anchor=folder / "anchor",
        version=done.manifest.version,
        recipe=write_recipe(folder, FEEDBACK),
        reviews=reviews,
        parameters=parameters(folder / "anchor"),
        layers=CONFIG.num_hidden_layers,
    )
