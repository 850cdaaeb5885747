"""``thumbs fine-tune`` fine-tunes and publishes a model."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import NoCorrections, UnusedOption
from cli.interrupts import stop_event
from cli.options import optional_reviews_path, require_reviews_path
from cli.training_environment import require_training_environment

if TYPE_CHECKING:
    from core.settings import Settings
    from ml.serving.artifact import Manifest
    from ml.training import loop
    from ml.training.base_model import BaseModel
    from ml.training.recipe import Recipe
    from ml.training.training_set import TrainingSet


def fine_tune(
    out: Annotated[
        Path, typer.Option(help="Folder to publish the model to. Any older model there is replaced at the end.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="Reviews: a file, a folder or a hub data set. Default: IMDB_PATH.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="Name of a recipe, or path of its .toml file.")] = "default",
    base: Annotated[
        str | None,
        typer.Option(
            help="Hub name or folder of the base model. Default: BASE_MODEL or the recipe's base; ANCHOR for a "
            "feedback round."
        ),
    ] = None,
    corrections: Annotated[
        Path | None, typer.Option(help="Corrections to train on too, in a table with the columns text and label.")
    ] = None,
    soft_labels: Annotated[
        Path | None, typer.Option(help="A teacher's soft labels for parts of the reviews; see docs/training.md.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=2, help="Use only this many reviews, sampled with the recipe's seed.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume from the checkpoint of the same command.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Fine-tune an encoder and save it in a folder.

    The recipe defines which reviews are used for training and which for evaluation. Ctrl-C saves a checkpoint next to
    --out. Run this command with make finetune, which installs the training environment.

    \b
    Examples:
      thumbs fine-tune --data "IMDB Dataset.csv" --out var/models/mine
      thumbs fine-tune --data imdb.parquet --out models/starter --base google-bert/bert-base-uncased
      thumbs fine-tune --data stanfordnlp/imdb --recipe tutorial --out var/models/tutorial
      thumbs fine-tune --data imdb.parquet --soft-labels labels.npz --out var/models/distilled
      thumbs fine-tune --recipe feedback --corrections corrections.csv --data imdb.parquet --out var/models/round
    """
    from cli.progress import progress_bar
    from cli.quiet_tensorflow import quiet_tensorflow
    from core.settings import read_settings
    from ml.training.recipe import Recipe

    require_training_environment("fine-tune")
    plan = Recipe.load(recipe)
    options = _Options(data, base, limit, corrections, soft_labels, read_settings())
    prepare = _prepare_full_run if plan.replay is None else _prepare_feedback_round
    start, training_set = prepare(plan, options)
    # TensorFlow takes seconds to import, so check the arguments first.
    with quiet_tensorflow():
        from ml.training.devices import find_gpus
        from ml.training.fine_tune import FineTuneJob
        from ml.training.fine_tune import fine_tune as run
        from ml.training.loop import TrainingCallbacks

        find_gpus()

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
    """The options and settings that select the base model and the data."""

    data: Path | None
    base: str | None
    limit: int | None
    corrections: Path | None
    soft_labels: Path | None
    settings: "Settings"


def _prepare_full_run(recipe: "Recipe", options: _Options) -> "tuple[BaseModel, TrainingSet]":
    """Return the encoder to start from, and all reviews and corrections as the training set."""
    from ml.data.reviews import read_reviews
    from ml.training.base_model import find_base_model
    from ml.training.corrections import Corrections
    from ml.training.dataset_splits import DatasetSplits
    from ml.training.soft_examples import LabelledParts

    source = require_reviews_path(options.data, options.settings)
    corrections = Corrections.read(options.corrections) if options.corrections else None
    soft_labels = LabelledParts.read(options.soft_labels) if options.soft_labels else None
    base = find_base_model(options.base or options.settings.base_model or recipe.base)
    splits = DatasetSplits.from_reviews(read_reviews(source), source, recipe, options.limit)
    return base, splits.training_set(corrections, soft_labels)


def _prepare_feedback_round(recipe: "Recipe", options: _Options) -> "tuple[BaseModel, TrainingSet]":
    """Return the anchor to start from, and the corrections and a replay as the training set."""
    from ml.data.reviews import read_reviews
    from ml.training.corrections import Corrections
    from ml.training.dataset_splits import DatasetSplits
    from ml.training.feedback_round import base_model_from, feedback_training_set, load_anchor
    from ml.training.frozen_features import FrozenEncoder

    if options.corrections is None:
        raise NoCorrections(name=recipe.name)
    for option, value in (("--limit", options.limit), ("--soft-labels", options.soft_labels)):
        if value is not None:
            raise UnusedOption(option=option, name=recipe.name)
    corrections = Corrections.read(options.corrections)
    folder = Path(options.base) if options.base else options.settings.anchor
    anchor = load_anchor(folder, options.settings.serving_threads)
    source = optional_reviews_path(options.data, options.settings)
    known = DatasetSplits.from_reviews(read_reviews(source), source, recipe, None) if source else None
    encoder = FrozenEncoder(anchor, options.settings.serving_threads)
    return base_model_from(anchor), feedback_training_set(corrections, known, encoder, recipe)


def result_text(manifest: "Manifest", out: Path) -> str:
    """Return a message with the published model's path and its accuracy on the held-out reviews and the corrections."""
    sentences = [f"Published version {manifest.version} at {out}."]
    dev = manifest.figures.get("dev")
    if dev:
        error = f"with a calibration error of {dev['calibration_error']:.2%}"
        sentences.append(f"Its accuracy on {dev['reviews']} held-out reviews is {dev['accuracy']:.2%}, {error}.")
    else:
        sentences.append("Forgetting was not measured: pass the anchor's reviews with --data or IMDB_PATH.")
    if manifest.data.get("dev_is_the_anchors") is False:
        sentences.append("The anchor held out different reviews, so it may have been trained on some of these.")
    if shared := manifest.data.get("dev_texts_also_in_train"):
        sentences.append(f"It was also trained on {shared} of them.")
    if figures := manifest.figures.get("corrections"):
        share = f"{figures['accuracy']:.2%} of the {figures['reviews']} corrections that it was trained on"
        before = manifest.data["corrections"].get("anchor_right")
        sentences.append(f"It agrees with {share}{'' if before is None else f'; the anchor agrees with {before:.2%}'}.")
    return " ".join(sentences)
