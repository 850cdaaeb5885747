"""``thumbs predict``: verdicts for texts, or for every row of a CSV file."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.progress import file_progress_bar

if TYPE_CHECKING:
    from ml.serving.engine import Classifier


def predict(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Reviews, each in quotes.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Read reviews from this file; .gz, .bz2 and .xz are opened.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the rows here, with label and confidence added.")] = None,
    column: Annotated[str | None, typer.Option(help="Column of the reviews; else review, else text.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
    model: Annotated[Path | None, typer.Option(help="Folder of a published model instead of MODEL.")] = None,
) -> None:
    """Say whether reviews are positive or negative.

    \b
    Examples:
      thumbs predict "This was a good movie. I would watch it again"
      thumbs predict --json "Two hours that I want back." "Lovely."
      thumbs predict --csv reviews.csv --out verdicts.csv --column comment
    """
    if bool(texts) == (csv is not None):
        raise typer.BadParameter("Give either texts or --csv.")
    if (csv is None) != (out is None):
        raise typer.BadParameter("--csv and --out go together.")
    classifier = _classifier(model)
    if csv is not None and out is not None:
        _predict_file(classifier, csv, out, column, as_json)
    else:
        # Arguments whose bytes are no text hold surrogates, which no output can write.
        readable = [text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for text in texts or []]
        _predict_texts(classifier, readable, as_json)


def _classifier(folder: Path | None) -> "Classifier":
    from core.settings import read_settings
    from ml.serving.engine import Classifier

    settings = read_settings()
    return Classifier.load(folder or settings.model, threads=settings.serving_threads)


def _predict_texts(classifier: "Classifier", texts: list[str], as_json: bool) -> None:
    for text, verdict in zip(texts, classifier.classify(texts), strict=True):
        if as_json:
            typer.echo(json.dumps({"text": text, **dataclasses.asdict(verdict)}, ensure_ascii=False))
        else:
            doubt = "" if verdict.sure else ", not sure"
            typer.echo(f"{verdict.label} ({verdict.confidence:.1%}{doubt}): {text}")


def _predict_file(classifier: "Classifier", source: Path, target: Path, column: str | None, as_json: bool) -> None:
    from cli.csv_verdicts import add_verdicts

    with file_progress_bar(source) as on_progress:
        summary = add_verdicts(source, target, classifier.classify, column, on_progress)
    if as_json:
        facts = {**dataclasses.asdict(summary), "out": str(target), "model": classifier.version}
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        typer.echo(
            f"{summary.rows:,} rows in {summary.seconds:.1f} s: {summary.positive:,} positive and "
            f"{summary.negative:,} negative, written to {target}",
            err=True,
        )
