"""The bot keeps replying to people even if broken updates arrive in between, by long polling or by webhook."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bot_api_server import TOKEN, BotApiServer, running_server
from bot_process import BotHome, start_bot
from sqlalchemy import select

from playground.client import PlaygroundClient
from storage.chat.inbox import MAX_ATTEMPTS
from storage.db.states import UpdateState
from storage.db.tables import UpdateRow

REVIEW = "A warm and clever film; I would gladly see it twice."
PERSON = {"id": 77, "is_bot": False, "first_name": "Pat", "language_code": "en"}
CHAT = {"id": 77, "type": "private", "first_name": "Pat"}


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with running_server() as running:
        yield running


def message(**content: Any) -> dict[str, Any]:
    return {"message_id": 1, "date": int(time.time()), "chat": CHAT, "from": PERSON, **content}


@contextmanager
def running(home: BotHome, server: BotApiServer, **settings: str) -> Iterator[None]:
    """Run a bot. At the end, check that it stops when asked, and that its log contains no texts and few tracebacks."""
    with PlaygroundClient(server.url, TOKEN) as client, start_bot(home, client, **settings) as process:
        yield
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert REVIEW not in output
    assert output.count("Traceback") <= 2 * MAX_ATTEMPTS


def handled_updates(home: BotHome) -> list[int]:
    database = home.database()
    with database.reading() as unit:
        found = list(unit.scalars(select(UpdateRow.update_id).where(UpdateRow.state == UpdateState.HANDLED)))
    database.close()
    return sorted(found)


def is_answered(server: BotApiServer) -> bool:
    return any("Positive" in params.get("text", "") for _, params in server.calls)


def updates() -> list[str]:
    """Return two broken updates, and two that the library can parse: a pin of a deleted message, and a review."""
    events = (
        message(poll={"id": "1", "question": REVIEW, "options": [], "type": "regular"}),
        {"message_id": 1, "date": 1_000, "text": REVIEW},
        message(pinned_message={"chat": CHAT, "message_id": 3, "date": 0}),
        message(text=REVIEW),
    )
    return [json.dumps({"update_id": number, "message": event}) for number, event in enumerate(events, 1)]


def test_long_polling_goes_on(server: BotApiServer, tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    for number, update in enumerate(updates(), 1):
        server.send(number, update)
    with running(home, server):
        server.wait_for(is_answered)
        server.wait_for(lambda state: state.polls()[-1].get("offset") == "5")
    assert handled_updates(home) == [3, 4]


def test_a_webhook_confirms_every_update(server: BotApiServer, tmp_path: Path, free_port: int) -> None:
    home = BotHome.make(tmp_path / "var")
    url = f"http://127.0.0.1:{free_port}/telegram"
    with running(home, server, WEBHOOK_URL=url, WEBHOOK_PORT=str(free_port)):
        for unusable in ('{"update_id": true}', '{"update_id": 99999999999999999999}', "[NaN]"):
            assert server.post(unusable) == 200
        for update in updates():
            assert server.post(update) == 200
        server.wait_for(is_answered)
    assert handled_updates(home) == [3, 4]
