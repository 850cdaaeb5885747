"""The bot as a process of its own, against a playground that outlives it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from paths import ROOT

from core.settings import Settings
from migrations.runner import upgrade
from playground.client import PlaygroundClient
from storage.db.database import Database
from storage.db.encryption import make_key_file, read_keys

_STOPS_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class BotHome:
    """What a bot keeps between two lives: its database and key."""

    settings: Settings

    @classmethod
    def make(cls, data_dir: Path) -> "BotHome":
        """A folder with a key and an empty database."""
        data_dir.mkdir()
        key_file = data_dir / "encryption.key"
        make_key_file(key_file)
        settings = Settings(data_dir=data_dir, encryption_key_file=key_file, _env_file=None)
        upgrade(settings.database_address)
        return cls(settings)

    def database(self) -> Database:
        """The database, opened beside the bot."""
        return Database.open(self.settings.database_address, read_keys(self.settings))


def start_bot(home: BotHome, playground: PlaygroundClient, **settings: str) -> "subprocess.Popen[str]":
    """A bot that listens to the playground as soon as it is ready; what it says is kept."""
    environment = {
        **os.environ,
        "DATA_DIR": str(home.settings.data_dir),
        "ENCRYPTION_KEY_FILE": str(home.settings.encryption_key_file),
        "TELEGRAM_API_URL": playground.url,
        "TELEGRAM_TOKEN": playground.token,
        **settings,
    }
    root = ROOT
    command = [sys.executable, "-m", "bot"]
    return subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@contextmanager
def running_bot(home: BotHome, playground: PlaygroundClient, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """A bot that listens to the playground; unless it was killed meanwhile, SIGTERM has to end it cleanly."""
    heard = max((call["seq"] for call in playground.outbox()), default=0)
    with start_bot(home, playground, **settings) as process:
        try:
            # The last thing that a starting bot tells Telegram.
            playground.wait_for_call("setMyShortDescription", since=heard)
            yield process
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=_STOPS_WITHIN)
    assert process.returncode in (0, -signal.SIGKILL), said
