"""``thumbs summary`` prints a network's layers and parameters."""

from typing import Annotated

import typer

from cli.training_environment import require_training_environment


def summary(
    base: Annotated[
        str | None, typer.Option(help="Hub name or folder. Default: BASE_MODEL, or the recipe's base.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="Name of a recipe, or path of its .toml file.")] = "default",
) -> None:
    """Print the layers and parameters of a recipe's network.

    Run this command with make summary, which installs the training environment.

    \b
    Examples:
      thumbs summary
      thumbs summary --base google-bert/bert-base-uncased
    """
    from cli.quiet_tensorflow import quiet_tensorflow
    from core.settings import read_settings
    from ml.bert.config import BertConfig
    from ml.training.base_model import find_base_model
    from ml.training.recipe import Recipe

    require_training_environment("summary")
    settings = read_settings()
    plan = Recipe.load(recipe)
    folder = settings.anchor if plan.replay is not None else None
    name = base or (str(folder) if folder else settings.base_model or plan.base)
    config = BertConfig.read(find_base_model(name).folder)
    # TensorFlow takes seconds to import, so check the arguments first.
    with quiet_tensorflow():
        from ml.bert.network import build_network

        network = build_network(config)
    network.summary(line_length=100, print_fn=typer.echo)
