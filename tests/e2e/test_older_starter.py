"""The current release replaces the starter that is live in a demo folder from commit 9a4afab."""

import json
import sqlite3
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bot_process import BotHome, running_bot
from click.testing import Result
from paths import ROOT, STARTER
from playground_process import running_playground
from typer.testing import CliRunner

from cli.main import app
from core.settings import Settings
from migrations import runner
from ml.serving.artifact import Manifest
from playground.client import PlaygroundClient
from storage.db.states import RunKind, Trigger
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.training import runs
from worker.runs.job_builder import build_job, take_snapshot
from worker.runs.run_directory import RunDirectory

ADA, BEN = 1, 2
ARCHIVE = ROOT / "tests" / "demo_of_9a4afab" / "demo.tar.gz"
TOKEN = "1000001:playground-token-of-the-older-demo"
SHIPPED = Manifest.read(STARTER).version
SHIPPED_WITH_9A4AFAB = "20261126-b04cfc8a"
OLD = "20261101-0a0a0a0a"
# The columns that name a version.
VERSIONS = {
    "model_versions": ("version",),
    "model_changes": ("from_version", "to_version"),
    "predictions": ("version",),
    "training_runs": ("champion", "candidate"),
}
# The id of a run in the archive that is waiting for a worker.
OPEN_RUN = 3
VOTES = "text,label,person\nA warm and funny film.,positive,ann\nA dull and endless film.,negative,ben\n"


def replace_starter(database: Path) -> None:
    """Change the database as if 9a4afab had shipped a different starter in this folder and it were still live."""
    connection = sqlite3.connect(database)
    for table, columns in VERSIONS.items():
        for column in columns:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (OLD, SHIPPED_WITH_9A4AFAB))
    connection.execute("UPDATE model_versions SET live = 0")
    row = (OLD[0] * 64, str(STARTER), OLD)
    connection.execute("UPDATE model_versions SET live = 1, manifest_sha256 = ?, location = ? WHERE version = ?", row)
    change = (
        "INSERT INTO model_changes (from_version, to_version, why, created_at) SELECT 'small-one', ?, ?, created_at"
    )
    connection.execute(f"{change} FROM model_versions WHERE version = ?", (OLD, "an admin chose it", OLD))
    connection.commit()
    connection.close()


@dataclass(frozen=True)
class Upgraded:
    """A running bot on the upgraded folder."""

    home: BotHome
    client: PlaygroundClient

    def command(self, *arguments: str) -> Result:
        """Run a ``thumbs`` command while the bot is running. If the command fails, raise its error."""
        settings = self.home.settings
        env = {"DATA_DIR": str(settings.data_dir), "ENCRYPTION_KEY_FILE": str(settings.encryption_key_file)}
        result = CliRunner().invoke(app, arguments, env={**env, "ADMIN_IDS": str(ADA)})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def answer(self, text: str, person: int) -> str:
        """Send a message, and return the bot's next message."""
        before = len(from_bot(self.client.chat(person)))
        self.client.message(text, user_id=person)
        chat = self.client.wait_for_chat(lambda chat: len(from_bot(chat)) > before, chat_id=person)
        return str(from_bot(chat)[-1]["text"])


def from_bot(chat: dict[str, Any]) -> list[dict[str, Any]]:
    return [message for message in chat["messages"] if message["from_bot"]]


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    data_dir = folder / "var"
    replace_starter(data_dir / "thumbs.db")
    settings = Settings(data_dir=data_dir, encryption_key_file=data_dir / "encryption.key", _env_file=None)
    runner.upgrade(settings.database_address)
    home = BotHome(settings)
    with running_playground(data_dir, TOKEN) as client, running_bot(home, client, ADMIN_IDS=str(ADA)):
        yield Upgraded(home, client)


def test_the_new_starter_answers_and_models_says_so(upgraded: Upgraded) -> None:
    assert f"model {SHIPPED}" in upgraded.answer("Cold, clumsy and dreadfully played.", BEN)
    page = upgraded.answer("/models", ADA)
    assert f"▶️ {SHIPPED}" in page
    assert f"{SHIPPED} went live. An update of Thumbs replaced the files of {OLD}" in page
    (old,) = [line for line in page.splitlines() if line.startswith(OLD)]
    assert old.endswith("files removed")
    states = {row["version"]: row["state"] for row in json.loads(upgraded.command("models", "list", "--json").stdout)}
    assert states == {OLD: "removed", SHIPPED: "live", "small-one": "kept", "small-two": "kept"}


def test_votes_are_imported_and_a_run_compares_with_the_new_starter(upgraded: Upgraded, tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_text(VOTES, encoding="utf-8")
    imported = upgraded.command("corrections", "import", str(tmp_path / "votes.csv"), "--as-admin", "--json")
    assert json.loads(imported.stdout)["texts"] == 2
    settings = upgraded.home.settings.model_copy(update={"admin_ids": (ADA,)})
    database = upgraded.home.database()
    with database.unit_of_work() as unit:
        assert runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADA).run.id == OPEN_RUN
        lease = runs.claim(unit, OPEN_RUN, "a test")
    assert lease is not None
    lease = take_snapshot(database, settings, lease)
    store = ArtifactStore.open(settings.store_address)
    job = build_job(database, settings, store, lease.run, RunDirectory(tmp_path / "run", 0))
    assert (lease.run.champion, Path(job.champion)) == (SHIPPED, STARTER)
    assert len(job.train) == 2
    with database.reading() as unit:
        # The admin rolled back from small-one, and the files of the old starter are gone.
        assert registry.rollback_targets(unit) == []
    database.close()


def test_the_new_starter_is_exported_and_the_old_one_has_no_figures(upgraded: Upgraded, tmp_path: Path) -> None:
    upgraded.command("models", "export", SHIPPED, "--out", str(tmp_path / "mine"))
    assert Manifest.read(tmp_path / "mine").version == SHIPPED
    facts = json.loads(upgraded.command("models", "show", OLD, "--json").stdout)
    assert (facts["state"], facts["figures"]) == ("removed", None)
    assert facts["changes"][0]["to_version"] == SHIPPED
