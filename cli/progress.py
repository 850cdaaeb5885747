"""Progress bars for all commands, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

# The time left is estimated from this number of seconds. With a large network on a CPU, one step can take a minute.
_ESTIMATE_PERIOD: Final = 600.0


def progress_bar(*fields: str) -> Progress:
    """Return a bar that counts steps, with ``fields`` beside the count, such as ``loss {task.fields[loss]:.3f}``.

    Nothing is drawn if standard error is not a terminal.
    """
    return _terminal_bar(MofNCompleteColumn(), *map(TextColumn, fields), TimeRemainingColumn())


@contextmanager
def file_progress_bar(path: Path) -> Iterator[Callable[[int, int], None]]:
    """Show a bar for reading ``path``, and yield a function to call with the numbers of bytes and rows read so far.

    Nothing is drawn if standard error is not a terminal.
    """
    rows_read = TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} rows/s")
    with _terminal_bar(TaskProgressColumn(), rows_read, TimeRemainingColumn(compact=True)) as bar:
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


def _terminal_bar(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    start = (TextColumn("{task.description}"), BarColumn())
    return Progress(
        *start, *columns, console=console, disable=not console.is_terminal, speed_estimate_period=_ESTIMATE_PERIOD
    )
