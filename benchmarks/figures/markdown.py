"""Renders benchmark results as Markdown: tables, figures, commands, and the line with the commit and the machine."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

Results = dict[str, Any]
"""The parsed content of a file in ``benchmarks/results``."""
NONE: Final = "-"
"""The text for a table cell whose figure does not apply."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table. Raise ValueError if a row has a different number of cells than ``columns``."""
    lines = [_line(columns), _line(["---"] * len(columns))]
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"a row has {len(row)} cells, and the table has {len(columns)} columns: {row}")
        lines.append(_line(row))
    return "\n".join(lines)


def paragraphs(*parts: str) -> str:
    """Return ``parts`` with a blank line before and after each of them."""
    return "\n" + "\n\n".join(parts) + "\n\n"


def command(*lines: str) -> str:
    """Return a code block with ``lines``, the shell commands that repeat a measurement."""
    return "\n".join(["```bash", *lines, "```"])


def measured(found: Results) -> str:
    """Return the sentence with the commit, the machine and the date from a results file."""
    where = found["provenance"]
    changes = " with uncommitted changes" if where["dirty"] else ""
    machine = f"{where['cpu']}, {where['cores']} cores, {where['memory_gib']} GiB of memory"
    return f"Measured at commit `{where['commit'][:9]}`{changes} on {machine}, {where['date'][:10]}."


def disjoint(found: Results) -> str:
    """Return the sentence about texts that occur in more than one text set in a results file."""
    shared = found["shared_texts"]
    if not shared:
        return "No text is in more than one set."
    return f"{shared:,} texts are in more than one set."


def percent(share: float, decimals: int = 1) -> str:
    """Return a share from 0 to 1 as a percentage."""
    return f"{share:.{decimals}%}"


def percent_with_interval(share: float, interval: Sequence[float], decimals: int = 1) -> str:
    """Return a share from 0 to 1 as a percentage, with its interval in brackets."""
    low, high = interval
    return f"{percent(share, decimals)} ({percent(low, decimals)} to {percent(high, decimals)})"


def points(difference: float, decimals: int = 2) -> str:
    """Return the difference between two shares in percentage points, with its sign."""
    return f"{100 * difference:+.{decimals}f}"


def points_with_interval(difference: float, interval: Sequence[float], decimals: int = 2) -> str:
    """Return the difference between two shares in percentage points, with its interval in brackets."""
    low, high = interval
    return f"{points(difference, decimals)} ({points(low, decimals)} to {points(high, decimals)})"


def comparison(found: Results) -> str:
    """Format the change from the first to the second model in an ``ml.evaluation.comparison.Comparison``."""
    return points_with_interval(found["difference"], found["interval"])


def mean(found: Results, decimals: int = 2) -> str:
    """Format a ``benchmarks.common.mean_interval.MeanInterval`` of differences, in percentage points."""
    return points_with_interval(found["mean"], (found["low"], found["high"]), decimals)


def bold(text: str) -> str:
    """Return ``text`` in bold type."""
    return f"**{text}**"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
