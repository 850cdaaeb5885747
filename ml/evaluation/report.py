"""The HTML report of ``thumbs evaluate``: one page without scripts, network requests or other files."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ml.evaluation.charts import confusion_chart, reliability_chart, slices_chart
from ml.evaluation.comparison import Comparison
from ml.evaluation.evaluate import Measurement
from ml.evaluation.figure_rows import comparison_rows, conclusion, figure_rows, report_warnings
from ml.evaluation.mistakes import Mistake
from ml.text.characters import LINE_BREAK

_TEMPLATE = "report.html.jinja"


@dataclass(frozen=True, slots=True)
class Report:
    """The results of an evaluation, which ``--json`` prints unchanged.

    ``data`` is ``EvaluationSet.summary()``. ``comparison`` compares the first of two ``models`` with the second.
    """

    data: dict[str, Any]
    models: tuple[Measurement, ...]
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class MistakeList:
    """A list of mistakes with its heading."""

    title: str
    description: str
    mistakes: Sequence[Mistake]


@dataclass(frozen=True, slots=True)
class _Chart:
    title: str
    description: str
    svg: str


def render_report(report: Report, mistakes: Sequence[MistakeList]) -> str:
    """Return a report as HTML. The result is deterministic."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["lines"] = partial(LINE_BREAK.sub, "\n")
    return environment.get_template(_TEMPLATE).render(
        report=report,
        rows=figure_rows(report.models),
        changes=[] if report.comparison is None else comparison_rows(report.comparison),
        conclusion=None if report.comparison is None else conclusion(report.comparison),
        warnings=report_warnings(report.models),
        charts=[
            *(chart for number, model in enumerate(report.models) for chart in _charts(number, model)),
            *_slice_charts(report.models),
        ],
        mistake_lists=mistakes,
    )


def _charts(number: int, model: Measurement) -> list[_Chart]:
    found = model.on_all
    charts = [_Chart("Confusion matrix", model.name, confusion_chart(f"confusion {number}", found.confusion))]
    for title, part in (("before", found.uncalibrated), ("after", found.served)):
        error = f"temperature {part.temperature:.2f}, expected calibration error {part.figures.calibration_error:.2%}"
        svg = reliability_chart(f"{title} {number}", part.bins)
        charts.append(_Chart(f"Reliability {title} temperature scaling", f"{model.name}: {error}", svg))
    return charts


def _slice_charts(models: Sequence[Measurement]) -> list[_Chart]:
    description = "With 95% intervals. The number of reviews is in brackets."
    lengths = slices_chart("length", "Words", [(model.name, model.by_length) for model in models])
    charts = [_Chart("Accuracy by length", description, lengths)]
    if models[0].by_rating:
        ratings = slices_chart("rating", "Rating", [(model.name, model.by_rating) for model in models])
        charts.append(_Chart("Accuracy by rating", description, ratings))
    return charts
