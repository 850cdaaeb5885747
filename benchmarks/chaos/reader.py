"""Loads every live model version completely, as the bot does, and reports errors.

Run it with ``python -m benchmarks.chaos.reader``. The reader polls the registry twenty times a second. It also verifies
each model folder as soon as the folder appears in the store, because a folder must be complete from the start. For each
model that it loads or verifies, the reader writes a line of JSON to standard output. It exits when its standard input
is closed.
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

_POLL_INTERVAL: Final = 0.05


class ModelReader:
    """Loads and verifies each model once."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database.open(settings.database_address, read_keys(settings))
        self._loader = ModelLoader(settings)
        self._store = Path(settings.store_address)
        self._live: ModelVersion | None = None
        self._seen: set[str] = set()

    def poll(self) -> None:
        """Load the live version if it has changed, and verify new folders in the store."""
        with self._database.reading() as unit:
            live = registry.live_model(unit)
        if live is not None and (self._live is None or live.version != self._live.version):
            self._live = live
            _emit("loaded", live.version, self._loading_error(live))
        for folder in sorted(self._store.glob("[!.]*")):
            if folder.name not in self._seen:
                self._seen.add(folder.name)
                _emit("verified", folder.name, _verification_error(folder))

    def _loading_error(self, model: ModelVersion) -> str | None:
        try:
            self._loader.load(model)
        except ThumbsError as error:
            return str(error)
        return None


def main() -> None:
    """Poll until standard input is closed."""
    reader = ModelReader(read_settings())
    while not select.select([sys.stdin], [], [], _POLL_INTERVAL)[0]:
        reader.poll()


def _verification_error(folder: Path) -> str | None:
    """Return an error message for a folder in the store, or None if the folder is intact or has been removed."""
    try:
        verified_manifest(folder)
    except UnusableArtifact as error:
        return str(error) if folder.is_dir() else None
    return None


def _emit(what: str, name: str, error: str | None) -> None:
    print(json.dumps({"what": what, "name": name, "error": error}), flush=True)


if __name__ == "__main__":
    main()
