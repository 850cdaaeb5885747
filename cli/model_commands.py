"""Commands that make a model and measure it."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.errors import NoReviews

if TYPE_CHECKING:
    from config.settings import Settings
    from ml import training
    from ml.artifact import Manifest

# A run of the engine sorts its texts by length, so a larger chunk saves padding; a smaller one moves the bar sooner.
_CHUNK = 500


def fine_tune(
    out: Annotated[Path, typer.Option(help="Folder that the model is published as; replaced when all is done.")],
    data: Annotated[Path | None, typer.Option(help="Labelled reviews; IMDB_PATH when it is not given.")] = None,
    recipe: Annotated[str, typer.Option(help="Name of a recipe in ml/recipes.")] = "default",
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

    settings = read_settings()
    source = _reviews(data, settings)
    plan = Recipe.named(recipe)
    start = find_base_model(base or settings.base_model or plan.base)
    reviews = read_reviews(source)
    # TensorFlow takes seconds to load, so what is wrong with the arguments is told before.
    from ml.fine_tuning import Order, TrainingData
    from ml.fine_tuning import fine_tune as run
    from ml.training import Watch

    chosen = TrainingData.choose(reviews, source, plan, limit)
    with stop_asked() as stopped, _bar("loss {task.fields[loss]:.3f}", "{task.fields[speed]:.1f} reviews/s") as bar:
        task = bar.add_task("Fine-tuning", total=None, loss=float("nan"), speed=0.0)

        def report(progress: "training.Progress") -> None:
            speed, loss = progress.reviews_per_second, progress.loss
            bar.update(task, completed=progress.step, total=progress.steps, loss=loss, speed=speed)

        manifest = run(Order(start, chosen, plan, out), Watch(report, stopped.is_set), resume)
    typer.echo(json.dumps(asdict(manifest)) if as_json else _summary(manifest, out))


def evaluate(
    data: Annotated[Path | None, typer.Option(help="Labelled reviews; IMDB_PATH when it is not given.")] = None,
    model: Annotated[Path | None, typer.Option(help="Published folder; MODEL when it is not given.")] = None,
    split: Annotated[str, typer.Option(help="Official part to use where the file names parts.")] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure a published model on labelled reviews, as it is served.

    \b
    Examples:
      thumbs evaluate --data imdb.parquet
      thumbs evaluate --model var/models/mine --data reviews.csv --json
    """
    import numpy as np

    from config.settings import read_settings
    from ml.data import digest, official_split, read_reviews
    from ml.evaluation import figures
    from ml.prediction import Classifier

    settings = read_settings()
    reviews = official_split(read_reviews(_reviews(data, settings)), split)
    classifier = Classifier.load(model or settings.model, settings.serving_threads)
    texts = reviews["text"].tolist()
    logits = []
    with _bar() as bar:
        for start in bar.track(range(0, len(texts), _CHUNK), description="Evaluating"):
            logits.append(classifier.engine.logits(texts[start : start + _CHUNK])[0])
    manifest = classifier.manifest
    labels = reviews["label"].to_numpy(np.int8)
    found = asdict(figures(np.concatenate(logits), labels, manifest.temperature, manifest.unsure_below))
    if as_json:
        typer.echo(json.dumps({"version": manifest.version, "data": digest(texts), **found}))
        return
    typer.echo(f"{manifest.version} on {found['reviews']} reviews: accuracy {found['accuracy']:.2%}, ", nl=False)
    typer.echo(f"log loss {found['log_loss']:.3f}, calibration error {found['calibration_error']:.2%}.")


def _reviews(data: Path | None, settings: "Settings") -> Path:
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


def _bar(*fields: str) -> Progress:
    """A progress bar on standard error; nothing is drawn where that is no terminal."""
    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    columns += [TextColumn(field) for field in fields]
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


def _summary(manifest: "Manifest", out: Path) -> str:
    dev = manifest.figures["dev"]
    return (
        f"Version {manifest.version} is published at {out}: {dev['accuracy']:.2%} on {dev['reviews']} held-out "
        f"reviews, calibration error {dev['calibration_error']:.2%}."
    )
