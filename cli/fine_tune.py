"""Commands that make a model."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import NoCorrections, UnusedOption
from cli.interrupts import stop_event
from cli.options import optional_reviews_path, require_reviews_path
from cli.progress import progress_bar
from cli.training_environment import require_training_environment

if TYPE_CHECKING:
    from core.settings import Settings
    from ml.serving.artifact import Manifest
    from ml.training import loop
    from ml.training.base_model import BaseModel
    from ml.training.recipe import Recipe
    from ml.training.training_set import TrainingSet


def fine_tune(
    out: Annotated[Path, typer.Option(help="Folder that the model is published as; replaced when all is done.")],
    data: Annotated[Path | None, typer.Option(help="Reviews: a file, folder or hub data set; else IMDB_PATH.")] = None,
    recipe: Annotated[str, typer.Option(help="Name of a recipe in ml/training/recipes, or a .toml file.")] = "default",
    base: Annotated[
        str | None, typer.Option(help="Hub name or folder; else BASE_MODEL, or ANCHOR for a round; else the recipe's.")
    ] = None,
    corrections: Annotated[
        Path | None, typer.Option(help="Judged texts to learn from too: columns text, label.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=2, help="Use only so many reviews, drawn by the seed.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the same command was stopped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Fine-tune an encoder on labelled reviews and publish it as a folder.

    The recipe says which reviews train and which measure. Ctrl-C keeps a checkpoint beside the folder.

    \b
    Examples:
      thumbs fine-tune --data "IMDB Dataset.csv" --out var/models/mine
      thumbs fine-tune --data imdb.parquet --out models/starter --base google-bert/bert-base-uncased
      thumbs fine-tune --data stanfordnlp/imdb --recipe tutorial --out var/models/tutorial
      thumbs fine-tune --recipe feedback --corrections judged.csv --data imdb.parquet --out var/models/round
    """
    import os

    # Its start-up lines would tear the progress bar.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from core.settings import read_settings
    from ml.training.recipe import Recipe

    require_training_environment("fine-tune")
    plan = Recipe.load(recipe)
    options = _Options(data, base, limit, corrections, read_settings())
    prepare = _prepare_full_run if plan.replay is None else _prepare_feedback_round
    start, training_set = prepare(plan, options)
    # TensorFlow takes seconds to load, so what is wrong with the arguments is told before.
    from ml.training.fine_tune import FineTuneJob
    from ml.training.fine_tune import fine_tune as run
    from ml.training.loop import TrainingCallbacks

    with (
        stop_event() as stopped,
        progress_bar("loss {task.fields[loss]:.3f}", "{task.fields[speed]:.1f} reviews/s") as bar,
    ):
        task = bar.add_task("Fine-tuning", total=None, loss=float("nan"), speed=0.0)

        def report(progress: "loop.TrainingProgress") -> None:
            speed, loss = progress.reviews_per_second, progress.loss
            bar.update(task, completed=progress.step, total=progress.steps, loss=loss, speed=speed)

        manifest = run(FineTuneJob(start, training_set, plan, out), TrainingCallbacks(report, stopped.is_set), resume)
    typer.echo(json.dumps(asdict(manifest)) if as_json else result_text(manifest, out))


@dataclass(frozen=True, slots=True)
class _Options:
    """What the command line and the settings say of a fine-tune's base and data."""

    data: Path | None
    base: str | None
    limit: int | None
    corrections: Path | None
    settings: "Settings"


def _prepare_full_run(recipe: "Recipe", given: _Options) -> "tuple[BaseModel, TrainingSet]":
    """From an encoder, on all the reviews and the corrections."""
    from ml.data.reviews import read_reviews
    from ml.training.base_model import find_base_model
    from ml.training.corrections import Corrections
    from ml.training.dataset_splits import DatasetSplits

    source = require_reviews_path(given.data, given.settings)
    judged = Corrections.read(given.corrections) if given.corrections else None
    base = find_base_model(given.base or given.settings.base_model or recipe.base)
    return base, DatasetSplits.from_reviews(read_reviews(source), source, recipe, given.limit).training_set(judged)


def _prepare_feedback_round(recipe: "Recipe", given: _Options) -> "tuple[BaseModel, TrainingSet]":
    """From the anchor, on the corrections and a replay."""
    from ml.data.reviews import read_reviews
    from ml.training.corrections import Corrections
    from ml.training.dataset_splits import DatasetSplits
    from ml.training.feedback_round import base_model_from, feedback_training_set, load_anchor

    if given.corrections is None:
        raise NoCorrections(name=recipe.name)
    if given.limit is not None:
        raise UnusedOption(option="--limit", name=recipe.name)
    judged = Corrections.read(given.corrections)
    folder = Path(given.base) if given.base else given.settings.anchor
    anchor = load_anchor(folder, given.settings.serving_threads)
    source = optional_reviews_path(given.data, given.settings)
    known = DatasetSplits.from_reviews(read_reviews(source), source, recipe, None) if source else None
    return base_model_from(anchor), feedback_training_set(judged, known, anchor, recipe)


def result_text(manifest: "Manifest", out: Path) -> str:
    """What a fine-tune published, and how good it is on what was held out and on the corrections."""
    sentences = [f"Version {manifest.version} is published at {out}."]
    dev = manifest.figures.get("dev")
    if dev:
        error = f"calibration error {dev['calibration_error']:.2%}"
        sentences.append(f"It is right on {dev['accuracy']:.2%} of {dev['reviews']} held-out reviews, {error}.")
    else:
        sentences.append("Nothing measured what it forgot: name the anchor's reviews with --data or IMDB_PATH.")
    if manifest.data.get("dev_is_the_anchors") is False:
        sentences.append("The anchor held out others, so it may have been trained on some of these.")
    if shared := manifest.data.get("dev_texts_also_in_train"):
        sentences.append(f"Texts among them that it was trained on too: {shared}.")
    if learnt := manifest.figures.get("corrections"):
        share = f"{learnt['accuracy']:.2%} of the {learnt['reviews']} corrections, which it was trained on"
        before = manifest.data["corrections"].get("anchor_right")
        sentences.append(f"It agrees with {share}{'' if before is None else f'; the anchor with {before:.2%}'}.")
    return " ".join(sentences)
