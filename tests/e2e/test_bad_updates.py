"""With long polling, the bot answers people no matter which broken updates arrive in between."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bot_api_server import TOKEN, BotApiServer, running_server
from bot_process import BotHome, start_bot

from playground.client import PlaygroundClient
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


def updates(*events: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for number, event in enumerate(events, 1):
        yield number, json.dumps({"update_id": number, "message": event})


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (message(poll={"id": "1", "question": REVIEW, "options": [], "type": "regular"}), UpdateState.RECEIVED),
        (message(pinned_message={"chat": CHAT, "message_id": 3, "date": 0}), UpdateState.HANDLED),
        ({"message_id": 1, "date": 1_000, "text": REVIEW}, UpdateState.RECEIVED),
    ],
    ids=["a poll that lacks a field", "a pin of a deleted message", "neither chat nor sender"],
)
def test_the_next_message_is_answered(
    server: BotApiServer, tmp_path: Path, event: dict[str, Any], state: UpdateState
) -> None:
    home = BotHome.make(tmp_path / "var")
    for number, update in updates(event, message(text=REVIEW)):
        server.send(number, update)
    with (
        PlaygroundClient(server.url, TOKEN) as client,
        start_bot(home, client, LOG_LEVEL="INFO") as process,
    ):
        server.wait_for(lambda state: any("Positive" in params.get("text", "") for _, params in state.calls))
        server.wait_for(lambda state: state.polls()[-1].get("offset") == "3")
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert REVIEW not in output
    assert output.count("Traceback") <= 3
    database = home.database()
    with database.reading() as unit:
        row = unit.get_one(UpdateRow, (1000003, 1))
        assert row.state is state
    database.close()
