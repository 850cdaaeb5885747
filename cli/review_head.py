"""``thumbs review-head`` fits the part of a published model that distinguishes reviews from other texts."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import require_reviews_path
from cli.training_environment import require_training_environment


def review_head(
    folder: Annotated[Path, typer.Argument(help="Folder of a published model. The model is replaced.")],
    data: Annotated[
        Path | None, typer.Option(help="Reviews: a file, a folder or a hub data set. Default: IMDB_PATH.")
    ] = None,
) -> None:
    """Fit a review head for a published model.

    With a review head, a model can say that a text doesn't read like a review. thumbs fine-tune fits one for each new
    model. Use this command for models that were published without one, or after you change the lines in ml/data/lines.
    The model's verdicts stay the same, and it gets a new version. Run this command with make reviewhead, which installs
    the training environment.

    \b
    Example:
      thumbs review-head models/starter --data imdb.parquet
    """
    from core.settings import read_settings
    from ml.data.reviews import read_reviews

    require_training_environment("review-head")
    from ml.training.add_review_head import add_review_head
    from ml.training.dataset_splits import DatasetSplits
    from ml.training.recipe import Recipe

    source = require_reviews_path(data, read_settings())
    typer.echo("Reading the reviews.", err=True)
    splits = DatasetSplits.from_reviews(read_reviews(source), source, Recipe.load("default"), None)
    typer.echo("Fitting the review head, which takes less than a minute.", err=True)
    manifest = add_review_head(folder, splits.split.train["text"].tolist())
    typer.echo(f"Published version {manifest.version} to {folder}.", err=True)
