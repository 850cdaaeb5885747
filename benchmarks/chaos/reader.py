"""``python -m benchmarks.chaos.reader``: loads every live version fully, as the bot does, and says how that went.

It looks at the registry twenty times a second, and also at every folder that appears in the store under a model's name,
which has to be whole from its first moment on. A line of JSON goes to standard output for each; it ends with its
standard input.
"""

import json
import select
import sys
from pathlib import Path
from typing import Final

from bot.serving.loader import ModelLoader
from core.errors import ThumbsError
from core.settings import Settings, read_settings
from ml.errors import UnusableArtifact
from ml.serving.artifact import verified_manifest
from storage.db.database import Database
from storage.db.encryption import read_keys
from storage.models import registry
from storage.models.registry import ModelVersion

_LOOK_EVERY: Final = 0.05


class Reader:
    """What was looked at before; see the module."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database.open(settings.database_address, read_keys(settings))
        self._loader = ModelLoader(settings)
        self._store = Path(settings.store_address)
        self._live: ModelVersion | None = None
        self._seen: set[str] = set()

    def look(self) -> None:
        """Load the live version if it is another than before, and verify the store's new folders."""
        with self._database.reading() as unit:
            live = registry.live_model(unit)
        if live is not None and (self._live is None or live.version != self._live.version):
            self._live = live
            _say("loaded", live.version, self._load(live))
        for folder in sorted(self._store.glob("[!.]*")):
            if folder.name not in self._seen:
                self._seen.add(folder.name)
                _say("verified", folder.name, _verify(folder))

    def _load(self, model: ModelVersion) -> str | None:
        try:
            self._loader.load(model)
        except ThumbsError as error:
            return str(error)
        return None


def main() -> None:
    """Look until standard input ends."""
    reader = Reader(read_settings())
    while not select.select([sys.stdin], [], [], _LOOK_EVERY)[0]:
        reader.look()


def _verify(folder: Path) -> str | None:
    """What is wrong with a folder of the store; nothing when it was removed meanwhile, which old models are."""
    try:
        verified_manifest(folder)
    except UnusableArtifact as error:
        return str(error) if folder.is_dir() else None
    return None


def _say(what: str, name: str, error: str | None) -> None:
    print(json.dumps({"what": what, "name": name, "error": error}), flush=True)


if __name__ == "__main__":
    main()
