"""``thumbs predict`` classifies texts, or every row of a CSV file."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer._click import Context
from typer._click.exceptions import NoSuchOption, UsageError
from typer.core import TyperCommand

if TYPE_CHECKING:
    from ml.serving.answers import Answer
    from ml.serving.engine import Classifier


class TextCommand(TyperCommand):
    """A command that takes texts as arguments. A text may begin with a dash, just like an option."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        For an unknown option, explain in the error how to pass a text that looks like an option.
        """
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
        Path | None,
        typer.Option(help="Write the rows to this CSV file, with the columns label, confidence and reason added."),
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column with the reviews. Default: review or text.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Show the words that moved each verdict most.")] = False,
    model: Annotated[Path | None, typer.Option(help="Folder of a published model. Default: MODEL.")] = None,
) -> None:
    """Say whether reviews are positive or negative.

    As in the chat, rules answer texts without words, texts that are not in English and ratings such as "8/10". The
    reason names the rule.

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
    from ml.serving.answers import answer_texts

    for text, answer in zip(texts, answer_texts(classifier.classify, texts), strict=True):
        typer.echo(_answer_json(text, answer) if as_json else _answer_line(text, answer))


def _explain_texts(classifier: "Classifier", texts: list[str], as_json: bool) -> None:
    """Explain the model's verdicts. Answers without a verdict already have a reason."""
    from cli.explanations import explanation_json, explanation_lines
    from ml.explanation.explain import explain
    from ml.serving.answers import answer_texts

    for text, answer in zip(texts, answer_texts(classifier.classify, texts), strict=True):
        explained = answer.reason is None
        explanation = explain(text, classifier.engine.tokenizer, classifier.classify) if explained else None
        if as_json:
            typer.echo(_answer_json(text, answer, why=explanation_json(explanation) if explanation else None))
        else:
            typer.echo(_answer_line(text, answer))
            for line in explanation_lines(text, explanation) if explanation else ():
                typer.echo(line)


def _answer_json(text: str, answer: "Answer", **more: object) -> str:
    return json.dumps({"text": text, **dataclasses.asdict(answer), **more}, ensure_ascii=False)


def _answer_line(text: str, answer: "Answer") -> str:
    return f"{_in_words(answer)}: {text}"


def _in_words(answer: "Answer") -> str:
    if answer.confidence is None:
        return f"{answer.label or 'No verdict'} ({answer.reason})"
    if answer.sure:
        return f"{answer.label} ({answer.confidence:.1%})"
    return f"Not sure ({answer.confidence:.1%} {answer.label})"


def _predict_file(classifier: "Classifier", source: Path, target: Path, column: str | None, as_json: bool) -> None:
    from cli.csv_verdicts import add_verdicts
    from cli.progress import file_progress_bar
    from ml.serving.answers import answer_texts

    with file_progress_bar(source) as on_progress:
        summary = add_verdicts(
            source, target, lambda texts: answer_texts(classifier.classify, texts), column, on_progress
        )
    if as_json:
        facts = {**dataclasses.asdict(summary), "out": str(target), "model": classifier.version}
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        typer.echo(
            f"Rows: {summary.rows:,} ({summary.positive:,} positive, {summary.negative:,} negative, "
            f"{summary.without:,} without a verdict), in {summary.seconds:.1f} s. Written to {target}.",
            err=True,
        )
