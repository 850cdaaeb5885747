"""Reads figures as JSON from standard input and writes a PNG picture to standard output, in a child process."""

import json
import sys
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ml.evaluation.chart_style import PICTURE_PALETTE, chart_style

_PALETTE: Final = PICTURE_PALETTE
_SIZE: Final = (6.4, 7.2)
_DPI: Final = 150


def draw_statistics(figures: dict[str, Any]) -> Figure:
    """Draw the daily numbers of messages and people, and how often people agreed with each model version."""
    figure = Figure(_SIZE, layout="constrained")
    messages, people, agreement = figure.subplots(3)
    days = [date.fromisoformat(day["day"]) for day in figures["days"]]
    _draw_bars(messages, days, [day["messages"] for day in figures["days"]], "Messages a day", _PALETTE.first)
    _draw_bars(people, days, [day["people"] for day in figures["days"]], "People a day", _PALETTE.second)
    _draw_agreement(agreement, figures["agreement"])
    return figure


def _draw_bars(axes: Axes, days: list[date], values: list[int], title: str, colour: str) -> None:
    axes.bar(range(len(days)), values, color=colour)
    axes.set_title(title, loc="left", fontweight="bold")
    step = max(len(days) // 6, 1)
    shown = range(len(days) - 1, -1, -step)
    axes.set_xticks(list(shown), [f"{days[position]:%d %b}" for position in shown])
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_ylim(0, max(*values, 1) * 1.1)
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def _draw_agreement(axes: Axes, versions: list[dict[str, Any]]) -> None:
    axes.set_title("Verdicts that people found right, by model", loc="left", fontweight="bold")
    if not versions:
        axes.text(0.5, 0.5, "no votes yet", transform=axes.transAxes, ha="center", color=_PALETTE.muted)
        axes.set_axis_off()
        return
    shares = [100 * version["share"] for version in versions]
    axes.barh(range(len(versions)), shares, color=_PALETTE.first)
    labels = [f"{version['version']} (votes: {version['right'] + version['wrong']:,})" for version in versions]
    axes.set_yticks(range(len(versions)), labels)
    axes.set(xlim=(0, 100), ylim=(len(versions) - 0.4, -0.6), xlabel="percent")
    for position, share in enumerate(shares):
        axes.text(min(share + 1, 92), position, f"{share:.0f}%", va="center", color=_PALETTE.ink)


def draw_drift(figures: dict[str, Any]) -> Figure:
    """Draw each figure about people's texts by week, with the figure to compare with and the bounds around it."""
    figure = Figure(_SIZE, layout="constrained")
    for axes, (name, title) in zip(figure.subplots(len(_DRIFT_TITLES)), _DRIFT_TITLES.items(), strict=True):
        scale = 1 if name == "words" else 100
        values = [None if week["profile"] is None else scale * week["profile"][name] for week in figures["weeks"]]
        axes.set_title(title, loc="left", fontweight="bold")
        axes.plot(range(len(values)), [float("nan") if v is None else v for v in values], "o-", color=_PALETTE.first)
        if figures["reference"] is not None:
            before, bound = figures["reference"][name], figures["bounds"][name]
            low, high = (before / bound, before * bound) if name == "words" else (before - bound, before + bound)
            axes.axhspan(scale * max(low, 0), scale * high, color=_PALETTE.line, zorder=0)
            axes.axhline(scale * before, color=_PALETTE.second)
        axes.set_ylim(bottom=0)
        ends = [date.fromisoformat(week["end"]) for week in figures["weeks"]]
        shown = range(len(ends) - 1, -1, -3)
        axes.set_xticks(list(shown), [f"{ends[position]:%d %b}" for position in shown])
        axes.yaxis.set_major_locator(MaxNLocator(4))
    return figure


_DRIFT_TITLES: Final = {
    "positive": "Called positive (percent), by week",
    "confidence": "Mean confidence (percent)",
    "words": "Words in a text",
    "unknown": "Words that aren't in the model's vocabulary (percent)",
}
PICTURES: Final[dict[str, Callable[[dict[str, Any]], Figure]]] = {"statistics": draw_statistics, "drift": draw_drift}


def main(picture: str) -> None:
    """Draw the named picture."""
    with mpl.rc_context(chart_style(_PALETTE, font_size=10)):
        file = BytesIO()
        PICTURES[picture](json.load(sys.stdin)).savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
    sys.stdout.buffer.write(file.getvalue())


if __name__ == "__main__":
    main(sys.argv[1])
