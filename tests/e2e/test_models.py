"""An admin changes the live model in the chat while people write to the bot."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from bot_process import BotHome, running_bot
from paths import STARTER
from playground_process import running_playground

from ml.serving.artifact import MANIFEST, Manifest, manifest_hash
from playground.client import PlaygroundClient
from storage.models import instances, registry
from storage.models.instances import BotInstance

ADMIN = 1
SHIPPED = Manifest.read(STARTER).version
REVIEW = "Evening number {number} was a joy: funny, warm and brilliantly acted, and I would gladly see it again."
WRITERS = 3
# Maximum number of seconds to wait for a reply while the machine loads a model.
MAX_ANSWER_SECONDS = 10.0
_users = count(900)


@pytest.fixture
def home(tmp_path: Path) -> BotHome:
    return BotHome.make(tmp_path / "bot")


@pytest.fixture
def playground(tmp_path: Path, home: BotHome) -> Iterator[PlaygroundClient]:
    """A playground with a bot. The playground's first user is its admin."""
    with running_playground(tmp_path / "playground") as client, running_bot(home, client, ADMIN_IDS=str(ADMIN)):
        yield client


def publish(home: BotHome, version: str) -> Path:
    """Publish and register the starter under a different version."""
    folder = home.settings.data_dir / "models" / version
    folder.mkdir(parents=True)
    for path in STARTER.iterdir():
        if path.name != MANIFEST:
            (folder / path.name).write_bytes(path.read_bytes())
    replace(Manifest.read(STARTER), version=version).write(folder)
    database = home.database()
    with database.unit_of_work() as unit:
        registry.register(unit, version, manifest_hash(folder), version)
    database.close()
    return folder


def replies(chat: dict[str, Any]) -> list[dict[str, Any]]:
    return [message for message in chat["messages"] if message["from_bot"]]


def labels(message: dict[str, Any]) -> list[str]:
    return [button["text"] for row in message["buttons"] for button in row]


def shows(chat: dict[str, Any], message_id: int, *texts: str) -> bool:
    """Return whether this message now contains all of these texts."""
    (message,) = [message for message in chat["messages"] if message["message_id"] == message_id]
    return all(text in message["text"] for text in texts)


def wait_for_text(client: PlaygroundClient, person: int, *texts: str) -> dict[str, Any]:
    """Wait until the bot's newest message contains all of these texts, and return the message."""

    def matches(chat: dict[str, Any]) -> bool:
        return bool(replies(chat)) and all(text in replies(chat)[-1]["text"] for text in texts)

    return replies(client.wait_for_chat(matches, chat_id=person))[-1]


def wait_for_serving(home: BotHome, version: str, *, refused: str | None = None) -> BotInstance:
    """Wait until the bot reports that it serves one version and refused to load another, and return the bot's row."""
    database = home.database()
    deadline = time.monotonic() + 30
    try:
        while True:
            with database.reading() as unit:
                (row,) = instances.live_instances(unit)
            if (row.version, row.refused_version) == (version, refused):
                return row
            assert time.monotonic() < deadline, row
    finally:
        database.close()


class Writer(threading.Thread):
    """A person who sends reviews until stopped. Each review is sent after the reply to the previous one."""

    def __init__(self, client: PlaygroundClient) -> None:
        super().__init__(daemon=True)
        self._client = client
        self.person = next(_users)
        self.sent: list[int] = []
        self.seconds: list[float] = []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            began = time.monotonic()
            text = REVIEW.format(number=len(self.sent))
            self.sent.append(self._client.message(text, user_id=self.person)["message_id"])
            self._client.wait_for_chat(lambda chat: len(replies(chat)) >= len(self.sent), chat_id=self.person)
            self.seconds.append(time.monotonic() - began)


def tap_through(client: PlaygroundClient, label: str, question: str) -> None:
    """Send ``/models``, tap a button under the list and confirm."""
    earlier = len(replies(client.chat(ADMIN)))
    client.message("/models", user_id=ADMIN)

    def pages(chat: dict[str, Any]) -> list[dict[str, Any]]:
        # Notices may arrive around the page.
        return [message for message in replies(chat)[earlier:] if label in labels(message)]

    page = pages(client.wait_for_chat(lambda chat: bool(pages(chat)), chat_id=ADMIN))[0]
    client.tap(page["message_id"], label, user_id=ADMIN)
    client.wait_for_chat(lambda chat: shows(chat, page["message_id"], question), chat_id=ADMIN)
    client.tap(page["message_id"], "Yes, change it", user_id=ADMIN)
    client.wait_for_chat(lambda chat: shows(chat, page["message_id"], "has been promoted", "Admin 1 "), chat_id=ADMIN)


def test_the_model_is_swapped_and_rolled_back_while_people_write(playground: PlaygroundClient, home: BotHome) -> None:
    publish(home, "run-1")
    writers = [Writer(playground) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    tap_through(playground, "Promote run-1", f"Replace {SHIPPED} with run-1?")
    wait_for_serving(home, "run-1")
    tap_through(playground, f"Roll back to {SHIPPED}", f"Replace run-1 with {SHIPPED}?")
    wait_for_serving(home, SHIPPED)
    for writer in writers:
        writer.stop.set()
    for writer in writers:
        writer.join(60)
    versions: list[str] = []
    for writer in writers:
        answers = replies(playground.chat(writer.person))
        assert sorted(answer["reply_to_message"]["message_id"] for answer in answers) == writer.sent, (
            "one answer to each text"
        )
        versions += [answer["text"].rsplit("model ", 1)[1] for answer in answers]
        assert max(writer.seconds) < MAX_ANSWER_SECONDS
    assert set(versions) == {SHIPPED, "run-1"}
    database = home.database()
    with database.reading() as unit:
        changes = [(change.who, change.from_version, change.to_version) for change in registry.changes(unit)]
    database.close()
    assert changes == [(ADMIN, "run-1", SHIPPED), (ADMIN, SHIPPED, "run-1"), (None, None, SHIPPED)]


def test_a_broken_model_is_refused_and_everyone_who_asks_is_told_so(
    playground: PlaygroundClient, home: BotHome
) -> None:
    folder = publish(home, "run-1")
    os.truncate(folder / "model.safetensors", 1000)
    tap_through(playground, "Promote run-1", f"Replace {SHIPPED} with run-1?")
    row = wait_for_serving(home, SHIPPED, refused="run-1")
    assert row.refusal is not None
    assert "model.safetensors is not the file that was published" in row.refusal
    wait_for_text(playground, ADMIN, "I couldn't load the promoted model run-1", f"I'm using {SHIPPED} instead")
    playground.message("/model", user_id=ADMIN)
    wait_for_text(playground, ADMIN, "Model run-1 was promoted at", "0 of 1 bots", f"{row.process} refused run-1")
    playground.message("/models", user_id=ADMIN)
    wait_for_text(playground, ADMIN, "promoted but refused", f"{row.process} refused run-1", "1 of 1 bots are using it")
    person = next(_users)
    playground.message(REVIEW.format(number=1), user_id=person)
    wait_for_text(playground, person, f"model {SHIPPED}")


def test_model_shows_accuracy_and_bot_instances_to_admins_only(playground: PlaygroundClient, home: BotHome) -> None:
    process = wait_for_serving(home, SHIPPED).process
    database = home.database()
    with database.unit_of_work() as unit:
        registry.record_test(unit, SHIPPED, 19_000, 17_651)
    database.close()
    playground.message("/model", user_id=ADMIN)
    dev = Manifest.read(STARTER).figures["dev"]
    expected = (
        f"{dev['accuracy']:.1%} of {dev['reviews']:,} held-out reviews right",
        "19,000 other reviews and got 92.9% right",
        process,
    )
    wait_for_text(playground, ADMIN, f"Model {SHIPPED} has been live since", *expected)
    person = next(_users)
    for command in ("/model", "/models"):
        playground.message(command, user_id=person)
        wait_for_text(playground, person, "I don't know that command")
