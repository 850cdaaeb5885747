"""``thumbs data`` downloads the reviews that models are fine-tuned on, and exports them for a teacher."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import require_reviews_path
from cli.training_environment import require_training_environment

app = typer.Typer(help="Download reviews, or export them for a teacher model.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """Download reviews, or export them for a teacher model."""


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


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="File to write, as JSON lines.")],
    reviews: Annotated[
        Path | None, typer.Option("--data", help="Reviews: a file, a folder or a hub data set. Default: IMDB_PATH.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="The recipe that the soft labels are for.")] = "default",
) -> None:
    """Export a recipe's training and dev reviews for a teacher model.

    The programs that fine-tune a teacher and compute soft labels read this file. See docs/training.md.

    \b
    Example:
      thumbs data export --data imdb.parquet --out reviews.jsonl
    """
    require_training_environment("data export")
    from core.settings import read_settings
    from ml.data.reviews import read_reviews
    from ml.distillation.reviews_file import write_teacher_reviews
    from ml.training.dataset_splits import DatasetSplits
    from ml.training.recipe import Recipe

    source = require_reviews_path(reviews, read_settings())
    splits = DatasetSplits.from_reviews(read_reviews(source), source, Recipe.load(recipe), None)
    count = write_teacher_reviews(out, splits.teacher_reviews())
    typer.echo(f"Wrote {count:,} reviews to {out}.")
