"""If PostgreSQL stops for a while, the bot still replies to everyone once it is back, and logs only two lines."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bot_api_server import TOKEN, BotApiServer, running_server
from bot_process import BotHome, start_bot
from postgres_server import PostgresServer

from migrations.runner import upgrade
from playground.client import PlaygroundClient

REVIEW = "A warm and clever film; I would gladly see it twice."
PEOPLE = range(71, 76)


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer.running() as server:
        yield server


def review(update_id: int, person: int) -> str:
    user = {"id": person, "is_bot": False, "first_name": "Pat"}
    chat = {"id": person, "type": "private", "first_name": "Pat"}
    message = {"message_id": update_id, "date": int(time.time()), "chat": chat, "from": user, "text": REVIEW}
    return json.dumps({"update_id": update_id, "message": message})


def answered(state: BotApiServer) -> set[str]:
    return {params["chat_id"] for method, params in state.calls if method == "sendMessage"}


def test_a_stopped_database_costs_two_lines_and_no_answer(postgres: PostgresServer, tmp_path: Path) -> None:
    upgrade(postgres.address)
    home = BotHome.make(tmp_path / "var")
    with (
        running_server() as server,
        PlaygroundClient(server.url, TOKEN) as client,
        start_bot(home, client, DATABASE_URL=postgres.address) as process,
    ):
        server.send(1, review(1, 70))
        server.wait_for(lambda state: "70" in answered(state))
        server.wait_for(lambda state: any(method == "setMyShortDescription" for method, _ in state.calls))
        postgres.stop()
        for update_id, person in enumerate(PEOPLE, 2):
            server.send(update_id, review(update_id, person))
        polls = len(server.polls())
        server.wait_for(lambda state: len(state.polls()) > polls)
        postgres.start()
        server.wait_for(lambda state: answered(state) == {"70", *map(str, PEOPLE)})
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    sent = [params["chat_id"] for method, params in server.calls if method == "sendMessage"]
    assert len(sent) == len(set(sent))
    assert "Traceback" not in output
    warnings = [line for line in output.splitlines() if " WARNING " in line or " ERROR " in line]
    assert ["The database cannot be used" in line for line in warnings] == [True, False]
    assert "The database can be used again" in warnings[1]
