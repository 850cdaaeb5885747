"""A demo folder from commit 9a4afab still works: old buttons, a promoted model and an open run.

The folder was created by tests/demo_of_9a4afab/make.py, which describes its contents.
"""

import tarfile
import time
from collections.abc import Iterator
from typing import Any

import pytest
from demo_process import Demo, running_demo
from paths import ROOT
from sqlalchemy import select

from core.settings import Settings
from playground.client import PlaygroundClient
from storage.db.database import Database
from storage.db.encryption import read_keys
from storage.db.states import RunState, Vote
from storage.db.tables import VoteRow
from storage.models.registry import live_model
from storage.training import runs

ADA, BEN = 1, 2
ARCHIVE = ROOT / "tests" / "demo_of_9a4afab" / "demo.tar.gz"
FIRST, HELD, FOLLOWED, MODELS = 4, 8, 10, 12
OPEN_RUN = 3
WAIT = 60.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    with running_demo(folder / "var") as started:
        yield started


@pytest.fixture(scope="module")
def database(demo: Demo) -> Iterator[Database]:
    settings = Settings(data_dir=demo.data_dir, encryption_key_file=demo.data_dir / "encryption.key", _env_file=None)
    opened = Database.open(settings.database_address, read_keys(settings))
    yield opened
    opened.close()


def edit_of(client: PlaygroundClient, message_id: int) -> dict[str, Any]:
    """Wait for the bot to edit a message that predates the upgrade, so that the playground no longer has it."""
    seen = 0
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        for call in client.outbox(since=seen, wait=1):
            seen = call["seq"]
            if call["method"].startswith("editMessage") and call["params"].get("message_id") == message_id:
                return dict(call["params"])
    pytest.fail(f"the bot did not edit message {message_id}")


def labels(params: dict[str, Any]) -> list[str]:
    return [button["callback_data"] for row in params["reply_markup"]["inline_keyboard"] for button in row]


def test_the_model_that_was_promoted_answers(demo: Demo) -> None:
    demo.client.message("Cold, clumsy and dreadfully played.", user_id=BEN)
    demo.client.wait_for_chat(
        lambda chat: any(one["from_bot"] and "small-one" in one["text"] for one in chat["messages"]), chat_id=BEN
    )


def test_a_vote_on_an_old_button_counts(demo: Demo, database: Database) -> None:
    edited = edit_of(demo.client, FIRST)
    assert "judge:1:undo" in labels(edited)
    with database.reading() as unit:
        votes = unit.scalars(select(VoteRow.verdict).order_by(VoteRow.id)).all()
    assert votes == [Vote.WRONG, Vote.RIGHT]


def test_an_old_card_asks_whether_to_promote(demo: Demo) -> None:
    assert labels(edit_of(demo.client, HELD)) == ["card:2:yes", "card:2:no"]


def test_the_old_list_of_models_asks_whether_to_change(demo: Demo) -> None:
    assert labels(edit_of(demo.client, MODELS)) == ["models:yes:small-two:small-one", "models:list"]


def test_the_open_run_is_claimed_and_ends(demo: Demo, database: Database) -> None:
    deadline = time.monotonic() + WAIT
    while True:
        with database.reading() as unit:
            run, live = runs.get_run(unit, OPEN_RUN), live_model(unit)
        if not run.open:
            break
        assert time.monotonic() < deadline, run
        demo.client.outbox(wait=1)
    assert run.state is RunState.FAILED
    assert "othing to train on" in (run.error or "")
    assert live is not None
    assert live.version == "small-one"
