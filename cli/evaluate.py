"""``thumbs evaluate`` evaluates a published model on labelled reviews, or compares two models."""

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from cli.options import require_reviews_path
from cli.training_environment import require_training_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.evaluation.evaluate import ModelOutputs
    from ml.evaluation.evaluation_set import EvaluationSet
    from ml.evaluation.report import MistakeList, Report
    from ml.serving.engine import Classifier


def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="Reviews: a file, a folder or a hub data set. Default: IMDB_PATH.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Folder of a published model. Default: MODEL.")] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A B", help="Compare two published models, in the folders A and B."),
    ] = None,
    split: Annotated[str, typer.Option(help="Split to use, if the data has several.")] = "test",
    doubtful: Annotated[
        Path | None,
        typer.Option(
            help="CSV file of doubtful IMDB labels (columns file, votes_given) to exclude in a second evaluation."
        ),
    ] = None,
    float32: Annotated[bool, typer.Option("--float32", help="Evaluate the model in float32 too.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write an HTML page with charts and the worst mistakes to this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Evaluate a model on labelled reviews, or compare two.

    Models classify exactly as they do in the bot.

    Run this command with make evaluate, which installs the training environment.

    \b
    Examples:
      thumbs evaluate --data imdb.parquet
      thumbs evaluate --model var/models/mine --data reviews.csv --report mine.html
      thumbs evaluate --data imdb.parquet --doubtful imdb_test_label_errors.csv --float32 --json
      thumbs evaluate --compare models/starter var/models/mine --data imdb.parquet --report changes.html
    """
    if compare is not None and model is not None:
        raise typer.BadParameter("Pass either --model or --compare.")
    from core.files import atomic_write
    from core.settings import read_settings

    require_training_environment("evaluate")
    from ml.data.reviews import read_reviews
    from ml.evaluation.evaluation_set import EvaluationSet
    from ml.evaluation.report import render_report
    from ml.serving.engine import Classifier

    settings = read_settings()
    source = require_reviews_path(data, settings)
    reviews = EvaluationSet.from_table(read_reviews(source), source, split, doubtful)
    folders = compare or (model or settings.model,)
    classifiers = [Classifier.load(folder, settings.serving_threads) for folder in folders]
    place: AbstractContextManager[TextIO | None] = nullcontext() if report is None else atomic_write(report)
    with place as file:
        answers = _answer(classifiers, reviews, float32)
        found = _build_report(answers, reviews)
        if file is not None:
            file.write(render_report(found, _list_mistakes(answers, reviews)))
    typer.echo(json.dumps(asdict(found), allow_nan=False) if as_json else _report_text(found))


def _answer(classifiers: "Sequence[Classifier]", reviews: "EvaluationSet", float32: bool) -> "list[ModelOutputs]":
    from cli.progress import progress_bar
    from ml.evaluation.evaluate import count_texts, run_model

    with progress_bar() as bar:
        task = bar.add_task("Evaluating", total=len(classifiers) * count_texts(reviews, float32))
        return [
            run_model(classifier, reviews, float32, lambda count: bar.advance(task, count))
            for classifier in classifiers
        ]


def _build_report(answers: "Sequence[ModelOutputs]", reviews: "EvaluationSet") -> "Report":
    from ml.evaluation.comparison import compare
    from ml.evaluation.evaluate import measure
    from ml.evaluation.report import Report

    models = tuple(measure(one, reviews) for one in answers)
    comparison = None
    if len(models) == 2:
        first, second = models
        comparison = compare((first.name, second.name), answers[0].logits, answers[1].logits, reviews.labels)
    return Report(reviews.summary(), models, comparison)


def _list_mistakes(answers: "Sequence[ModelOutputs]", reviews: "EvaluationSet") -> "list[MistakeList]":
    """Return the last model's worst mistakes.

    If there are two models, the list begins with the mistakes that only the last one makes.
    """
    from ml.evaluation.mistakes import worst_mistakes
    from ml.evaluation.report import MistakeList

    last = answers[-1]
    confident = "The reviews that it got wrong with the highest confidence. Some of them are mislabelled."
    lists = [MistakeList(f"Worst mistakes of {last.model}", confident, worst_mistakes(last, reviews))]
    if len(answers) == 2:
        right_before = answers[0].logits.argmax(axis=1) == reviews.labels
        about = f"Reviews that {answers[0].model} gets right and {last.model} gets wrong, the most confident first."
        lists.insert(0, MistakeList("Negative flips", about, worst_mistakes(last, reviews, right_before)))
    return lists


def _report_text(found: "Report") -> str:
    from ml.evaluation.figure_rows import comparison_rows, conclusion, figure_rows, report_warnings

    data, rows = found.data, figure_rows(found.models)
    part = "" if data["part"] is None else f", part {data['part']}"
    lines = [f"{data['reviews']:,} reviews of {data['file']}{part}", *report_warnings(found.models)]
    table = [("", *(model.name for model in found.models)), *((row.name, *row.values) for row in rows)]
    if found.comparison is not None:
        changes = [(row.name, *row.values) for row in comparison_rows(found.comparison)]
        return "\n".join([*lines, *_align_columns(table), conclusion(found.comparison), *_align_columns(changes)])
    return "\n".join([*lines, *_align_columns(table)])


def _align_columns(table: "Sequence[tuple[str, ...]]") -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
