"""``thumbs drift``: shows how the texts that people send differ from the training data."""

import json
from typing import Annotated

import typer

from cli.open_database import open_database

AsJson = Annotated[bool, typer.Option("--json", help="Print the figures of the last twelve weeks as one JSON object.")]


def drift(as_json: AsJson = False) -> None:
    """Compare people's texts with the training data.

    Says how the texts of the last seven days differ from what the live model was trained on. If the model records
    nothing about its training data, they are compared with the first four weeks.

    \b
    Examples:
      thumbs drift
      thumbs drift --json
    """
    from bot.admin.drift import figures, plain_sentence, read_drift
    from bot.serving.model_files import model_files, read_shipped
    from bot.texts import texts_for
    from core.settings import read_settings
    from ml.serving.artifact import Manifest
    from storage.models import registry

    settings = read_settings()
    with open_database(settings) as database:
        with database.reading() as unit:
            live = registry.live_model(unit)
        if live is None:
            manifest = Manifest.read(read_shipped(settings).folder)
        else:
            with model_files(settings, live) as folder:
                manifest = Manifest.read(folder)
        with database.reading() as unit:
            found = read_drift(unit, manifest.version, manifest.inputs, unit.now())
    text = plain_sentence(texts_for(None), found)
    typer.echo(json.dumps({"sentence": text, **figures(found)}) if as_json else text)
