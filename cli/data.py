"""``thumbs data``: the reviews that a model is fine-tuned on."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Get the reviews that a model is fine-tuned on.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """Get the reviews that a model is fine-tuned on."""


@app.command()
def fetch(
    to: Annotated[Path | None, typer.Option(help="File or folder to put it in; DATA_DIR when it is not given.")] = None,
) -> None:
    """Download the official IMDB reviews (Maas et al. 2011, 84 MB), check them, and say where they are.

    Stopped or broken off, the same command goes on where it was. A file that was put there by hand is checked.

    \b
    Examples:
      thumbs data fetch
      thumbs data fetch --to /srv/imdb.tar.gz
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from core.settings import read_settings
    from ml.data.download import IMDB, download
    from ml.data.imdb_archive import is_archive

    name = IMDB.url.rpartition("/")[2]
    target = to or read_settings().data_dir / name
    if target.is_dir() or not is_archive(target):
        target /= name
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Fetching", total=None)
        download(IMDB, target, lambda have, whole: bar.update(task, completed=have, total=whole))
    typer.echo(f"The reviews are in {target}. Use them with IMDB_PATH={target}, or --data {target}")
