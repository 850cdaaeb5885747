"""An admin monitors and controls the bot from the chat, over HTTP. The playground is as strict as Telegram."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bot_process import BotHome, running_bot
from playground_process import running_playground

from playground.client import PlaygroundClient

ADMIN, AUTHOR = 1, 10
GOOD = "What a wonderful evening. The play was funny, warm and brilliantly acted, and I would see it again tomorrow."

Message = dict[str, Any]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[PlaygroundClient]:
    home = BotHome.make(tmp_path / "bot")
    with running_playground(tmp_path / "playground") as client, running_bot(home, client, ADMIN_IDS=str(ADMIN)):
        yield client


def ask(client: PlaygroundClient, text: str, expected: Callable[[Message], bool], person: int = ADMIN) -> Message:
    """Send a message, wait until the bot's newest message is as expected, and return that message."""
    client.message(text, user_id=person)

    def newest(chat: Message) -> Message:
        return next((message for message in reversed(chat["messages"]) if message["from_bot"]), {})

    return newest(client.wait_for_chat(lambda chat: expected(newest(chat)), chat_id=person))


def says(*parts: str) -> Callable[[Message], bool]:
    return lambda message: all(part in message.get("text", "") for part in parts)


def test_an_admin_sees_and_steers_the_bot_from_the_chat(client: PlaygroundClient) -> None:
    verdict = ask(client, GOOD, says("%"), AUTHOR)
    client.tap(verdict["message_id"], "✅ Right", user_id=AUTHOR)
    for command in ("/status", "/stats", "/drift", "/export", "/voters", "/pause", "/resume"):
        ask(client, command, says("don't know that command"), AUTHOR)
    assert "/voters" in ask(client, "/help", says("You're an admin"))["text"]
    ask(client, "/status", says("Version", "Updates", "Worker    none is running", "Disk", "Errors"))
    ask(client, "/pause", says("Learning is paused"))
    ask(client, "/retrain", says("Send /resume first"))
    ask(client, "/model", says("paused by 1"))
    ask(client, "/resume", says("Learning is on again"))
    ask(client, "/voters", says(f"{AUTHOR} · votes: 1 (1 right"))
    drift = ask(client, "/drift", lambda message: "photo" in message)
    assert "nothing to compare people's texts with yet" in drift["caption"]
    picture = ask(client, "/stats", lambda message: "photo" in message)
    png = httpx.get(f"{client.url}/sim/file/{picture['photo'][-1]['file_id']}", trust_env=False).content
    assert png.startswith(b"\x89PNG")
    document = ask(client, "/export", lambda message: "document" in message)["document"]
    assert document["file_name"].endswith(".csv")
    votes = httpx.get(f"{client.url}/sim/file/{document['file_id']}", trust_env=False).text
    assert votes.splitlines() == ["text,label,person,state,reason"], "nobody has consented"
