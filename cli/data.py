"""``thumbs data``: downloads the reviews that models are fine-tuned on."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Download the reviews that models are fine-tuned on.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """Download the reviews that models are fine-tuned on."""


@app.command()
def fetch(
    to: Annotated[Path | None, typer.Option(help="File or folder to save the reviews to. Default: DATA_DIR.")] = None,
) -> None:
    """Download and verify the IMDB reviews, and print their path.

    The download is the official archive (Maas et al. 2011, 84 MB).

    If the download is interrupted, run the command again to resume it. An existing file is only verified.

    \b
    Examples:
      thumbs data fetch
      thumbs data fetch --to /srv/imdb.tar.gz
    """
    from cli.progress import download_progress_bar
    from core.settings import read_settings
    from ml.data.download import IMDB, download
    from ml.data.imdb_archive import is_archive

    name = IMDB.url.rpartition("/")[2]
    target = to or read_settings().data_dir / name
    if target.is_dir() or not is_archive(target):
        target /= name
    with download_progress_bar("Downloading") as on_progress:
        download(IMDB, target, on_progress)
    typer.echo(f"The reviews are in {target}. To use them, set IMDB_PATH={target} or pass --data {target}")
