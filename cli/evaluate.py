"""``thumbs evaluate``: how good a published model is on labelled reviews."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.model_commands import reviews_path
from cli.progress import progress_bar

# A run of the engine sorts its texts by length, so a larger chunk saves padding; a smaller one moves the bar sooner.
_CHUNK = 500


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
    from ml.data import read_reviews
    from ml.evaluation import figures
    from ml.fingerprints import digest
    from ml.prediction import Classifier
    from ml.splits import official_split

    settings = read_settings()
    reviews = official_split(read_reviews(reviews_path(data, settings)), split)
    classifier = Classifier.load(model or settings.model, settings.serving_threads)
    texts = reviews["text"].tolist()
    logits = []
    with progress_bar() as bar:
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
