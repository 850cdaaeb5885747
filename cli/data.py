"""``thumbs data``: the reviews that a model is fine-tuned on."""

from pathlib import Path
from typing import Annotated

import typer

from cli.progress import download_progress_bar

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
    from core.settings import read_settings
    from ml.data.download import IMDB, download
    from ml.data.imdb_archive import is_archive

    name = IMDB.url.rpartition("/")[2]
    target = to or read_settings().data_dir / name
    if target.is_dir() or not is_archive(target):
        target /= name
    with download_progress_bar("Downloading") as on_progress:
        download(IMDB, target, on_progress)
    typer.echo(f"The reviews are in {target}. Use them with IMDB_PATH={target}, or --data {target}")
