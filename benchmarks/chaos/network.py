"""Creates the anchor for all runs: a small, randomly initialised network, fine-tuned on the test suite's reviews."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.thumbs_command import count_parameters
from tests.small_model import CONFIG, FEEDBACK, RECIPE, run_fine_tune, write_recipe, write_reviews


@dataclass(frozen=True, slots=True)
class ChaosNetwork:
    """The anchor for the feedback rounds, their recipe, and the reviews that the anchor was trained on."""

    anchor: Path
    version: str
    recipe: Path
    reviews: Path
    parameters: int
    layers: int


def make_network(folder: Path) -> ChaosNetwork:
    """Train the anchor in ``folder``. This takes a few seconds."""
    # Importing TensorFlow takes seconds, and --help does not need it.
    from keras.utils import set_random_seed  # noqa: PLC0415

    from ml.bert.network import build_network  # noqa: PLC0415
    from ml.bert.pretrained import write_checkpoint  # noqa: PLC0415
    from ml.data.reviews import read_reviews  # noqa: PLC0415
    from ml.text.tokenization import WindowTokenizer  # noqa: PLC0415
    from ml.training.base_model import DEFAULT_BASE_MODEL, BaseModel, find_base_model  # noqa: PLC0415
    from ml.training.dataset_splits import DatasetSplits  # noqa: PLC0415
    from ml.training.fine_tune import FineTuneJob  # noqa: PLC0415

    reviews = write_reviews(folder / "reviews.csv")
    tokenizer = WindowTokenizer.read(find_base_model(DEFAULT_BASE_MODEL).folder, RECIPE.window, RECIPE.overlap)
    set_random_seed(RECIPE.seed)
    write_checkpoint(folder / "encoder", build_network(CONFIG), CONFIG, tokenizer)
    training_set = DatasetSplits.from_reviews(read_reviews(reviews), reviews, RECIPE, None).training_set()
    trained = run_fine_tune(
        FineTuneJob(BaseModel("random weights", folder / "encoder"), training_set, RECIPE, folder / "anchor")
    )
    return ChaosNetwork(
        anchor=folder / "anchor",
        version=trained.manifest.version,
        recipe=write_recipe(folder, FEEDBACK),
        reviews=reviews,
        parameters=count_parameters(folder / "anchor"),
        layers=CONFIG.num_hidden_layers,
    )
