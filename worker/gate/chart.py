"""The chart of a decision: what the live model and the candidate get right, side by side, as a PNG for a chat."""

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
from worker.gate.decision import Decision
from worker.gate.measurements import Measured, Paired

_PALETTE: Final = PICTURE_PALETTE
_CANDIDATE: Final = {
    RunState.PROMOTED: _PALETTE.first,
    RunState.HELD: _PALETTE.first,
    RunState.REJECTED: _PALETTE.second,
}
_STYLE: Final = chart_style(_PALETTE, font_size=10)
_WIDTH: Final = 6.4
_ROW: Final = 0.42
_DOTS_AN_INCH: Final = 150


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the chart; ``paired`` is None for what could not be measured."""

    name: str
    paired: Paired | None


def draw_chart(decision: Decision, measured: Measured) -> bytes:
    """A PNG, about 960 pixels wide: a line for feedback, IMDB and behaviour, and one for each slice of IMDB."""
    lines = [
        _Line("Held-out judgements", measured.judgements),
        _Line("IMDB", measured.imdb),
        _Line("Behavioural cases", _together(list(measured.behaviour.values()))),
        *(_Line(f"IMDB, {name}", paired) for name, paired in measured.slices.items()),
    ]
    colour = _CANDIDATE[decision.outcome]
    with mpl.rc_context(_STYLE):
        figure = Figure((_WIDTH, 1.5 + _ROW * len(lines)), layout="constrained")
        axes = figure.subplots()
        for place, line in enumerate(lines):
            _line(axes, place, line.paired, colour)
        _frame(axes, lines)
        axes.plot([], [], "o", color=_PALETTE.muted, markerfacecolor=_PALETTE.background, label="live model")
        axes.plot([], [], "o", color=colour, label="new model")
        axes.set_title(decision.outcome.value.capitalize(), loc="left", fontsize=13, fontweight="bold")
        figure.legend(loc="outside lower right", ncols=2)
        file = BytesIO()
        figure.savefig(file, format="png", dpi=_DOTS_AN_INCH, metadata={"Software": None})
    return file.getvalue()


def _together(checks: Sequence[Paired]) -> Paired | None:
    """The cases of all checks; None without any. Its ``lower`` is not known, and not drawn."""
    if not checks:
        return None
    return Paired(
        texts=sum(check.texts for check in checks),
        champion_right=sum(check.champion_right for check in checks),
        candidate_right=sum(check.candidate_right for check in checks),
        negative_flips=sum(check.negative_flips for check in checks),
        positive_flips=sum(check.positive_flips for check in checks),
        lower=float("nan"),
    )


def _line(axes: Axes, place: int, paired: Paired | None, colour: str) -> None:
    """Two dots, and how far the second lies from the first."""
    if paired is None:
        unknown = axes.text(0.5, place, "not measured", transform=axes.get_yaxis_transform(), ha="center", va="center")
        unknown.set(color=_PALETTE.muted, backgroundcolor=_PALETTE.background)
        return
    before, after = paired.champion_right / paired.texts, paired.candidate_right / paired.texts
    axes.plot([before, after], [place, place], color=colour, linewidth=2, alpha=0.5, zorder=1)
    axes.plot(before, place, "o", color=_PALETTE.muted, markerfacecolor=_PALETTE.background, markersize=8, zorder=2)
    axes.plot(after, place, "o", color=colour, markersize=6, zorder=3)
    told = f"{after - before:+.1%}".removesuffix("%").replace("-", "\N{MINUS SIGN}")
    axes.text(1.02, place, told, transform=axes.get_yaxis_transform(), va="center", color=_PALETTE.ink)


def _frame(axes: Axes, lines: Sequence[_Line]) -> None:
    """Names and sizes on the left, a scale that holds every dot below, points on the right."""
    names = [f"{line.name} ({line.paired.texts:,})" if line.paired else line.name for line in lines]
    shares = [
        right / line.paired.texts
        for line in lines
        if line.paired
        for right in (line.paired.champion_right, line.paired.candidate_right)
    ]
    low, high = min(shares, default=0.0), max(shares, default=1.0)
    room = max(0.06 * (high - low), 0.01)
    axes.set(ylim=(len(lines) - 0.5, -0.5), xlim=(low - room, high + room), xlabel="right")
    axes.set_yticks(range(len(lines)), names)
    # No steps of 2.5, and as many digits as the range asks for: no mark is written as what it is not.
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines.left.set_visible(False)
    axes.text(1.02, -0.5, "points", transform=axes.get_yaxis_transform(), va="bottom", color=_PALETTE.muted)
