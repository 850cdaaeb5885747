"""The report of ``thumbs evaluate``: one page that needs no script, no network and no other file."""

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
from ml.text.tokenization import LINE_BREAK

_TEMPLATE = "report.html.jinja"


@dataclass(frozen=True, slots=True)
class Report:
    """What a measuring found; ``--json`` prints it as it is.

    ``data`` is that of ``EvaluationSet.summary``; ``comparison`` is of the first to the second of two ``models``.
    """

    data: dict[str, Any]
    models: tuple[Measurement, ...]
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class MistakeList:
    """Mistakes under a heading."""

    title: str
    description: str
    mistakes: Sequence[Mistake]


@dataclass(frozen=True, slots=True)
class _Chart:
    title: str
    description: str
    svg: str


def render_report(report: Report, mistakes: Sequence[MistakeList]) -> str:
    """The HTML of a report; the same report gives the same page."""
    folder = FileSystemLoader(Path(__file__).parent)
    pages = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters["lines"] = partial(LINE_BREAK.sub, "\n")
    return pages.get_template(_TEMPLATE).render(
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
    charts = [_Chart("Confusion", model.name, confusion_chart(f"confusion {number}", found.confusion))]
    for title, part in (("before", found.uncalibrated), ("after", found.served)):
        error = f"temperature {part.temperature:.2f}, expected calibration error {part.figures.calibration_error:.2%}"
        svg = reliability_chart(f"{title} {number}", part.bins)
        charts.append(_Chart(f"Reliability {title} temperature scaling", f"{model.name}: {error}", svg))
    return charts


def _slice_charts(models: Sequence[Measurement]) -> list[_Chart]:
    about = "With 95 % intervals; in brackets, how many reviews."
    lengths = slices_chart("length", "Words", [(model.name, model.by_length) for model in models])
    charts = [_Chart("Accuracy by length", about, lengths)]
    if models[0].by_rating:
        ratings = slices_chart("rating", "Rating", [(model.name, model.by_rating) for model in models])
        charts.append(_Chart("Accuracy by rating", about, ratings))
    return charts
