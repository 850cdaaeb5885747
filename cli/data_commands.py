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
    to: Annotated[Path | None, typer.Option(help="Where to put the file; DATA_DIR/aclImdb_v1.tar.gz else.")] = None,
) -> None:
    """Download the official IMDB reviews (Maas et al. 2011, 84 MB), check them, and say where they are.

    Stopped or broken off, the same command goes on where it was.

    \b
    Examples:
      thumbs data fetch
      thumbs data fetch --to /srv/imdb.tar.gz
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from config.settings import read_settings
    from ml.download import IMDB, fetch

    target = to or read_settings().data_dir / IMDB.url.rpartition("/")[2]
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Fetching", total=None)
        fetch(IMDB, target, lambda have, whole: bar.update(task, completed=have, total=whole))
    typer.echo(f"The reviews are in {target}. Use them with IMDB_PATH={target}, or --data {target}")
