"""Commands that make a model."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.progress import progress_bar
from config.errors import NoReviews

if TYPE_CHECKING:
    from config.settings import Settings
    from ml import training
    from ml.artifact import Manifest


def fine_tune(
    out: Annotated[Path, typer.Option(help="Folder that the model is published as; replaced when all is done.")],
    data: Annotated[Path | None, typer.Option(help="Labelled reviews; IMDB_PATH when it is not given.")] = None,
    recipe: Annotated[str, typer.Option(help="Name of a recipe in ml/recipes, or a .toml file.")] = "default",
    base: Annotated[str | None, typer.Option(help="Hub name or folder; else BASE_MODEL, else the recipe's.")] = None,
    limit: Annotated[int | None, typer.Option(min=2, help="Use only so many reviews, drawn by the seed.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the same command was stopped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Fine-tune an encoder on labelled reviews and publish it as a folder.

    Of a file that names the official parts, only the train part is used. Ctrl-C keeps a checkpoint beside the folder.

    \b
    Examples:
      thumbs fine-tune --data "IMDB Dataset.csv" --out var/models/mine
      thumbs fine-tune --data imdb.parquet --out models/starter --base google-bert/bert-base-uncased
    """
    import os

    # Its start-up lines would tear the progress bar.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from config.settings import read_settings
    from ml.base_model import find_base_model
    from ml.data import read_reviews
    from ml.recipe import Recipe
    from ml.training_data import TrainingData

    settings = read_settings()
    source = reviews_path(data, settings)
    plan = Recipe.named(recipe)
    start = find_base_model(base or settings.base_model or plan.base)
    chosen = TrainingData.choose(read_reviews(source), source, plan, limit)
    # TensorFlow takes seconds to load, so what is wrong with the arguments is told before.
    from ml.fine_tuning import Order
    from ml.fine_tuning import fine_tune as run
    from ml.training import Watch

    with (
        stop_asked() as stopped,
        progress_bar("loss {task.fields[loss]:.3f}", "{task.fields[speed]:.1f} reviews/s") as bar,
    ):
        task = bar.add_task("Fine-tuning", total=None, loss=float("nan"), speed=0.0)

        def report(progress: "training.Progress") -> None:
            speed, loss = progress.reviews_per_second, progress.loss
            bar.update(task, completed=progress.step, total=progress.steps, loss=loss, speed=speed)

        manifest = run(Order(start, chosen, plan, out), Watch(report, stopped.is_set), resume)
    typer.echo(json.dumps(asdict(manifest)) if as_json else summary(manifest, out))


def reviews_path(data: Path | None, settings: "Settings") -> Path:
    """The file that ``--data`` names, else that of the settings; raises NoReviews."""
    chosen = data or settings.imdb_path
    if chosen is None:
        raise NoReviews
    return chosen


@contextmanager
def stop_asked() -> "Iterator[threading.Event]":
    """An event that Ctrl-C and SIGTERM set, instead of breaking in between two steps."""
    event = threading.Event()
    before = {number: signal.signal(number, lambda *_: event.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def summary(manifest: "Manifest", out: Path) -> str:
    """What a fine-tune published, how good it is on dev, and how many texts of dev it has seen."""
    dev, shared = manifest.figures["dev"], manifest.data["dev_texts_also_in_train"]
    sentence = (
        f"Version {manifest.version} is published at {out}: {dev['accuracy']:.2%} on {dev['reviews']} held-out "
        f"reviews, calibration error {dev['calibration_error']:.2%}."
    )
    return f"{sentence} {shared} of them have a text that it was trained on too." if shared else sentence
