"""Shows every command's progress on standard error, as a bar in a terminal or as occasional lines elsewhere."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

# The time left is estimated from this number of seconds. With a large network on a CPU, one step can take a minute.
_ESTIMATE_PERIOD: Final = 600.0
# Seconds between two lines if standard error is not a terminal.
LINE_SECONDS: Final = 10.0


def progress_bar(*fields: str) -> Progress:
    """Return a bar that counts steps, with ``fields`` next to the count, such as ``loss {task.fields[loss]:.3f}``.

    If standard error is not a terminal, a line with the percentage and the time left is printed every ten seconds.
    """
    return _progress(MofNCompleteColumn(), *map(TextColumn, fields), TimeRemainingColumn(), fields=fields)


@contextmanager
def file_progress_bar(path: Path) -> Iterator[Callable[[int, int], None]]:
    """Show a bar for reading ``path``, and yield a function to call with the numbers of bytes and rows read so far.

    If standard error is not a terminal, a line is printed every ten seconds.
    """
    rows_read = "{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} rows/s"
    columns = (TaskProgressColumn(), TextColumn(rows_read), TimeRemainingColumn(compact=True))
    with _progress(*columns, fields=[rows_read]) as bar:
        task = bar.add_task(path.name, total=path.stat().st_size if path.is_file() else None, rows=0, rate=0.0)

        def update(position: int, rows: int) -> None:
            elapsed = bar.tasks[task].elapsed or 0.0
            bar.update(task, completed=position, rows=rows, rate=rows / elapsed if elapsed else 0.0)

        yield update


@contextmanager
def download_progress_bar(description: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar for a download, and yield a function to call with the bytes received and the total, if known.

    If standard error is not a terminal, only one line is printed, at the end.
    """
    columns = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), BarColumn(), *columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=None)
        yield lambda received, total: bar.update(task, completed=received, total=total)


def _progress(*columns: ProgressColumn, fields: Sequence[str]) -> Progress:
    """Return a bar with ``columns``, or lines with ``fields`` if there is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return _ProgressLines(console, fields)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), *columns, console=console, speed_estimate_period=_ESTIMATE_PERIOD
    )


class _ProgressLines(Progress):
    """Draws nothing. Prints a line with the percentage, the fields and the time left every ten seconds."""

    def __init__(self, console: Console, fields: Sequence[str]) -> None:
        super().__init__(console=console, disable=True, speed_estimate_period=_ESTIMATE_PERIOD)
        self._fields = fields
        self._printed_at = self.get_time()

    def update(self, task_id: TaskID, **changes: Any) -> None:  # noqa: ANN401 - whatever the caller shows
        """Update a task, and print a line if one is due."""
        super().update(task_id, **changes)
        self._print_if_due(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Advance a task, and print a line if one is due."""
        super().advance(task_id, advance)
        self._print_if_due(task_id)

    def _print_if_due(self, task_id: TaskID) -> None:
        now = self.get_time()
        if now - self._printed_at < LINE_SECONDS:
            return
        self._printed_at = now
        task = next(task for task in self.tasks if task.id == task_id)
        done = f"{task.completed:,.0f} done" if task.total is None else f"{math.floor(task.percentage)}%"
        left = task.time_remaining
        time_left = [] if left is None else [f"{timedelta(seconds=math.ceil(left))} left"]
        facts = [done, *(field.format(task=task) for field in self._fields), *time_left]
        self.console.print(f"{task.description}: {', '.join(filter(None, facts))}", markup=False, highlight=False)
