"""Draws the report's charts as inline SVG.

matplotlib draws in placeholder colours, which are then replaced with the page's CSS variables, so that the charts
follow the page's light or dark mode.
"""

import re
from collections.abc import Sequence
from io import StringIO
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from ml.evaluation.chart_style import PAGE_PALETTE, chart_style
from ml.evaluation.intervals import Interval, wilson_interval
from ml.evaluation.metrics import Bin
from ml.evaluation.slices import Slice
from ml.text.labels import LABELS

_VARIABLES: Final = {
    PAGE_PALETTE.ink: "var(--ink)",
    PAGE_PALETTE.line: "var(--line)",
    PAGE_PALETTE.muted: "var(--muted)",
    PAGE_PALETTE.first: "var(--first)",
    PAGE_PALETTE.second: "var(--second)",
}
_SERIES: Final = (PAGE_PALETTE.first, PAGE_PALETTE.second)
_STYLE: Final = chart_style(PAGE_PALETTE, font_size=9)
_WITHOUT_METADATA: Final = dict.fromkeys(["Creator", "Date", "Format", "Type"])
_INCHES: Final = (3.5, 2.9)


def confusion_chart(name: str, confusion: Sequence[Sequence[int]]) -> str:
    """Draw the number of reviews by label (row) and verdict (column).

    Darker cells contain a larger share of their row.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(_INCHES, layout="constrained")
        axes = figure.subplots()
        for row, counts in enumerate(confusion):
            for column, count in enumerate(counts):
                share = count / max(sum(counts), 1)
                colour = _SERIES[0] if row == column else _SERIES[1]
                axes.add_patch(
                    Rectangle((column + 0.02, row + 0.02), 0.96, 0.96, color=colour, alpha=0.12 + 0.5 * share)
                )
                axes.text(column + 0.5, row + 0.45, f"{count:,}", ha="center", va="center", fontsize=14)
                axes.text(column + 0.5, row + 0.68, f"{share:.1%} of row", ha="center", va="center")
        axes.set(xlim=(0, 2), ylim=(2, 0), xlabel="Verdict", ylabel="Label")
        axes.set_xticks([0.5, 1.5], LABELS)
        axes.set_yticks([0.5, 1.5], LABELS, rotation=90, va="center")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        return _svg(name, figure)


def reliability_chart(name: str, bins: Sequence[Bin]) -> str:
    """Draw accuracy by confidence with 95% intervals and the diagonal of perfect calibration, above a histogram."""
    with mpl.rc_context(_STYLE):
        figure = Figure(_INCHES, layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        above.plot([0.5, 1], [0.5, 1], color=PAGE_PALETTE.ink, linewidth=1, linestyle=(0, (4, 4)))
        for part in bins:
            above.plot([part.confidence] * 2, _wilson(part), color=_SERIES[0], linewidth=1.5)
            above.plot(part.confidence, part.accuracy, "o", color=_SERIES[0], markersize=5)
        above.set(ylabel="Accuracy", ylim=(0, 1.03))
        above.yaxis.set_major_formatter(PercentFormatter(1, 0))
        above.grid(axis="y")
        for part in bins:
            low = max(part.low, 0.5)
            below.bar(low, part.reviews, part.high - low, align="edge", color=_SERIES[0], edgecolor="none", alpha=0.6)
        below.set(xlabel="Confidence", ylabel="Answers", xlim=(0.49, 1.01))
        below.xaxis.set_major_formatter(PercentFormatter(1, 0))
        return _svg(name, figure)


def slices_chart(name: str, axis: str, series: Sequence[tuple[str, Sequence[Slice]]]) -> str:
    """Plot each slice's accuracy with its 95% interval, for one or two models, next to the slice's name and size."""
    with mpl.rc_context(_STYLE):
        figure = Figure(_INCHES, layout="constrained")
        axes = figure.subplots()
        slices = series[0][1]
        for number, (model, found) in enumerate(series):
            shift = 0.3 * (number - (len(series) - 1) / 2)
            for place, part in enumerate(found):
                label = model if place == 0 else None
                axes.plot(part.interval, [place + shift] * 2, color=_SERIES[number], linewidth=1.5)
                axes.plot(part.accuracy, place + shift, "o", color=_SERIES[number], markersize=5, label=label)
        axes.set_yticks(range(len(slices)), [f"{part.name}  ({part.reviews:,})" for part in slices])
        axes.set(xlabel="Accuracy", ylabel=axis, ylim=(len(slices) - 0.5, -0.5))
        axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        if len(series) > 1:
            figure.legend(loc="outside upper left")
        return _svg(name, figure)


def _wilson(part: Bin) -> Interval:
    return wilson_interval(round(part.accuracy * part.reviews), part.reviews)


def _svg(name: str, figure: Figure) -> str:
    """Return a figure as an SVG element. The markup is deterministic. ``name`` keeps ids unique on the page."""
    file = StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata=_WITHOUT_METADATA)
    text = file.getvalue()
    text = re.sub(r'<g id="[^"]*"', "<g", text[text.index("<svg") :])
    for placeholder, variable in _VARIABLES.items():
        text = text.replace(placeholder, variable)
    return text
