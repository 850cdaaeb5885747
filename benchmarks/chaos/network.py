"""The small network that is trained over and over: random weights, fine-tuned on sentences of our own."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.arguments import parameters
from tests.small_model import CONFIG, FEEDBACK, RECIPE, carry_out, write_recipe, write_reviews


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
    from ml.training.base_model import DEFAULT, BaseModel, find_base_model  # noqa: PLC0415
    from ml.training.fine_tune import FineTuneJob  # noqa: PLC0415
    from ml.training.training_data import TrainingData  # noqa: PLC0415

    reviews = write_reviews(folder / "reviews.csv")
    reader = WindowTokenizer.read(find_base_model(DEFAULT).folder, RECIPE.window, RECIPE.overlap)
    set_random_seed(RECIPE.seed)
    write_checkpoint(folder / "encoder", build_network(CONFIG), CONFIG, reader)
    lesson = TrainingData.choose(read_reviews(reviews), reviews, RECIPE, None).training_set()
    done = carry_out(FineTuneJob(BaseModel("random weights", folder / "encoder"), lesson, RECIPE, folder / "anchor"))
    return SmallNetwork(
        anchor=folder / "anchor",
        version=done.manifest.version,
        recipe=write_recipe(folder, FEEDBACK),
        reviews=reviews,
        parameters=parameters(folder / "anchor"),
        layers=CONFIG.num_hidden_layers,
    )
