"""Shows the progress of reading or writing a table's rows."""

from collections.abc import Iterable, Iterator

from cli.progress import progress_bar


def with_progress(table: str, rows: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Yield a table's rows while showing a progress bar."""
    with progress_bar() as bar:
        task = bar.add_task(table, total=None)
        for row in rows:
            bar.advance(task)
            yield row
