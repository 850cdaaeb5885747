"""Draws the chart for a decision, as a PNG: the live model's and the candidate's accuracy side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ml.evaluation.chart_style import PICTURE_PALETTE, chart_style
from storage.db.states import RunState
from worker.gate.decision import OUTCOME_NAMES, Decision
from worker.gate.measurements import Measurements, PairedResult, VoteEvidence

_PALETTE: Final = PICTURE_PALETTE
_CANDIDATE: Final = {
    RunState.PROMOTED: _PALETTE.first,
    RunState.TRIAL: _PALETTE.first,
    RunState.HELD: _PALETTE.first,
    RunState.REJECTED: _PALETTE.second,
}
_STYLE: Final = chart_style(_PALETTE, font_size=10)
_WIDTH: Final = 6.4
_ROW_HEIGHT: Final = 0.42
_DPI: Final = 150


@dataclass(frozen=True, slots=True)
class _Row:
    """One row in the chart. ``result`` is None if the accuracies could not be measured."""

    name: str
    result: PairedResult | VoteEvidence | None


def draw_chart(decision: Decision, measured: Measurements) -> bytes:
    """Return a PNG, 960 pixels wide, with one row each for feedback, IMDB, behaviour and every slice of IMDB."""
    votes = measured.judgements
    rows = [
        _Row("Votes", None if votes is None or votes.unknown is not None else votes),
        _Row("IMDB", measured.imdb),
        _Row("Behavioural cases", _total(list(measured.behaviour.values()))),
        *(_Row(f"IMDB, {name}", result) for name, result in measured.slices.items()),
    ]
    colour = _CANDIDATE[decision.outcome]
    with mpl.rc_context(_STYLE):
        figure = Figure((_WIDTH, 1.5 + _ROW_HEIGHT * len(rows)), layout="constrained")
        axes = figure.subplots()
        for position, row in enumerate(rows):
            _draw_row(axes, position, row.result, colour)
        _label_axes(axes, rows)
        axes.plot([], [], "o", color=_PALETTE.muted, markerfacecolor=_PALETTE.background, label="live model")
        axes.plot([], [], "o", color=colour, label="new model")
        axes.set_title(OUTCOME_NAMES[decision.outcome], loc="left", fontsize=13, fontweight="bold")
        figure.legend(loc="outside lower right", ncols=2)
        file = BytesIO()
        figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
    return file.getvalue()


def _total(checks: Sequence[PairedResult]) -> PairedResult | None:
    """Return the sum over all checks, or None if there are none.

    The sum's ``lower`` is NaN, because the chart does not show it.
    """
    if not checks:
        return None
    return PairedResult(
        texts=sum(check.texts for check in checks),
        champion_right=sum(check.champion_right for check in checks),
        candidate_right=sum(check.candidate_right for check in checks),
        negative_flips=sum(check.negative_flips for check in checks),
        positive_flips=sum(check.positive_flips for check in checks),
        lower=float("nan"),
    )


def _draw_row(axes: Axes, position: int, result: PairedResult | VoteEvidence | None, colour: str) -> None:
    """Draw a dot for each model, and write the difference in points beside them."""
    if result is None:
        unknown = axes.text(
            0.5, position, "not measured", transform=axes.get_yaxis_transform(), ha="center", va="center"
        )
        unknown.set(color=_PALETTE.muted, backgroundcolor=_PALETTE.background)
        return
    before, after = result.champion_accuracy, result.candidate_accuracy
    axes.plot([before, after], [position, position], color=colour, linewidth=2, alpha=0.5, zorder=1)
    axes.plot(before, position, "o", color=_PALETTE.muted, markerfacecolor=_PALETTE.background, markersize=8, zorder=2)
    axes.plot(after, position, "o", color=colour, markersize=6, zorder=3)
    difference = f"{after - before:+.1%}".removesuffix("%").replace("-", "\N{MINUS SIGN}")
    axes.text(1.02, position, difference, transform=axes.get_yaxis_transform(), va="center", color=_PALETTE.ink)


def _label_axes(axes: Axes, rows: Sequence[_Row]) -> None:
    """Label the rows with names and sizes, and set an accuracy scale that covers every dot."""
    names = [f"{row.name} ({row.result.texts:,})" if row.result else row.name for row in rows]
    accuracies = [
        accuracy
        for row in rows
        if row.result
        for accuracy in (row.result.champion_accuracy, row.result.candidate_accuracy)
    ]
    low, high = min(accuracies, default=0.0), max(accuracies, default=1.0)
    margin = max(0.06 * (high - low), 0.01)
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(low - margin, high + margin), xlabel="accuracy")
    axes.set_yticks(range(len(rows)), names)
    # Avoid steps of 2.5, and show as many decimals as necessary, so that no tick label is rounded.
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines.left.set_visible(False)
    axes.text(1.02, -0.5, "points", transform=axes.get_yaxis_transform(), va="bottom", color=_PALETTE.muted)
