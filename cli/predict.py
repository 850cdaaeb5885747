"""``thumbs predict``: classifies texts, or every row of a CSV file."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer._click import Context
from typer._click.exceptions import NoSuchOption, UsageError
from typer.core import TyperCommand

if TYPE_CHECKING:
    from ml.serving.engine import Classifier, Verdict


class TextCommand(TyperCommand):
    """A command that takes texts as arguments. A text may begin with a dash, just like an option."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse the arguments. If an option is unknown, explain in the error how to pass a text that looks like one."""
        try:
            return super().parse_args(ctx, args)
        except NoSuchOption as error:
            hint = 'Put -- before a text that begins with a dash: thumbs predict -- "-5 stars".'
            raise UsageError(f"{error.format_message().rstrip('.')}. {hint}", ctx) from error


def predict(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Reviews, each in quotes.")] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Read reviews from this table: CSV, JSON lines or parquet, compressed or not.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the rows to this CSV file, with the columns label and confidence added.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column with the reviews. Default: review or text.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Show the words that moved each verdict most.")] = False,
    model: Annotated[Path | None, typer.Option(help="Folder of a published model. Default: MODEL.")] = None,
) -> None:
    """Say whether reviews are positive or negative.

    \b
    Examples:
      thumbs predict "This was a good movie. I would watch it again"
      thumbs predict --why "Slow and far too long, but charming."
      thumbs predict --json "Two hours that I want back." "Lovely."
      thumbs predict --csv reviews.csv --out verdicts.csv --column comment
    """
    if bool(texts) == (csv is not None):
        raise typer.BadParameter("Pass either texts or --csv.")
    if (csv is None) != (out is None):
        raise typer.BadParameter("Pass --csv and --out together.")
    if why and csv is not None:
        raise typer.BadParameter("--why explains texts that are passed as arguments, not the rows of a table.")
    classifier = _classifier(model)
    if csv is not None and out is not None:
        _predict_file(classifier, csv, out, column, as_json)
    else:
        # Arguments that are not valid UTF-8 contain surrogates, which cannot be printed.
        readable = [text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for text in texts or []]
        _explain_texts(classifier, readable, as_json) if why else _predict_texts(classifier, readable, as_json)


def _classifier(folder: Path | None) -> "Classifier":
    from core.settings import read_settings
    from ml.serving.engine import Classifier

    settings = read_settings()
    return Classifier.load(folder or settings.model, threads=settings.serving_threads)


def _predict_texts(classifier: "Classifier", texts: list[str], as_json: bool) -> None:
    for text, verdict in zip(texts, classifier.classify(texts), strict=True):
        typer.echo(_verdict_json(text, verdict) if as_json else _verdict_line(text, verdict))


def _explain_texts(classifier: "Classifier", texts: list[str], as_json: bool) -> None:
    from cli.explanations import explanation_json, explanation_lines
    from ml.explanation.explain import explain

    for text in texts:
        explanation = explain(text, classifier.engine.tokenizer, classifier.classify)
        if as_json:
            typer.echo(_verdict_json(text, explanation.verdict, why=explanation_json(explanation)))
        else:
            typer.echo(_verdict_line(text, explanation.verdict))
            for line in explanation_lines(text, explanation):
                typer.echo(line)


def _verdict_json(text: str, verdict: "Verdict", **more: object) -> str:
    return json.dumps({"text": text, **dataclasses.asdict(verdict), **more}, ensure_ascii=False)


def _verdict_line(text: str, verdict: "Verdict") -> str:
    doubt = "" if verdict.sure else ", not sure"
    return f"{verdict.label} ({verdict.confidence:.1%}{doubt}): {text}"


def _predict_file(classifier: "Classifier", source: Path, target: Path, column: str | None, as_json: bool) -> None:
    from cli.csv_verdicts import add_verdicts
    from cli.progress import file_progress_bar

    with file_progress_bar(source) as on_progress:
        summary = add_verdicts(source, target, classifier.classify, column, on_progress)
    if as_json:
        facts = {**dataclasses.asdict(summary), "out": str(target), "model": classifier.version}
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        typer.echo(
            f"Rows: {summary.rows:,} ({summary.positive:,} positive, {summary.negative:,} negative), "
            f"in {summary.seconds:.1f} s. Written to {target}.",
            err=True,
        )
