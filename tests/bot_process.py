"""The bot as a separate process, with a playground that outlives it."""

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

_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class BotHome:
    """The parts of a bot that survive a restart: its database and its key."""

    settings: Settings

    @classmethod
    def make(cls, data_dir: Path) -> "BotHome":
        """Create a folder with a key and an empty database."""
        data_dir.mkdir()
        key_file = data_dir / "encryption.key"
        make_key_file(key_file)
        settings = Settings(data_dir=data_dir, encryption_key_file=key_file, _env_file=None)
        upgrade(settings.database_address)
        return cls(settings)

    def database(self) -> Database:
        """Open the database while the bot is using it."""
        return Database.open(self.settings.database_address, read_keys(self.settings))


def start_bot(home: BotHome, playground: PlaygroundClient, **settings: str) -> "subprocess.Popen[str]":
    """Start a bot that connects to the playground. Its output is captured."""
    environment = {
        **os.environ,
        "DATA_DIR": str(home.settings.data_dir),
        "ENCRYPTION_KEY_FILE": str(home.settings.encryption_key_file),
        "TELEGRAM_API_URL": playground.url,
        "TELEGRAM_TOKEN": playground.token,
        # A crash in native code leaves a traceback in the output.
        "PYTHONFAULTHANDLER": "1",
        **settings,
    }
    command = [sys.executable, "-m", "bot"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@contextmanager
def running_bot(home: BotHome, playground: PlaygroundClient, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a bot. At the end, unless the test has killed it, stop it with SIGTERM and check its exit status."""
    last_call = max((call["seq"] for call in playground.outbox()), default=0)
    with start_bot(home, playground, **settings) as process:
        try:
            # The last call that the bot makes during startup.
            playground.wait_for_call("setMyShortDescription", since=last_call)
            yield process
        finally:
            process.terminate()
            output, _ = process.communicate(timeout=_STOP_SECONDS)
    assert process.returncode in (0, -signal.SIGKILL), f"status {process.returncode}\n{output}"
