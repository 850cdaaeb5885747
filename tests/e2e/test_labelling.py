"""A review gets its label from two other people's votes, and an admin decides on a disputed text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bot_process import BotHome, running_bot
from playground_process import running_playground

from playground.client import PlaygroundClient
from storage.db.database import Database
from storage.feedback.eligibility import eligible_texts

ADMIN, AUTHOR, ANN, BEN, CAT = 1, 10, 11, 12, 13
CONSENTING = (AUTHOR, ANN, BEN)
GOOD = "What a wonderful evening. The play was funny, warm and brilliantly acted, and I would see it again tomorrow."
MIXED = "The first act was a delight and the second one a bore, so I left in the middle of the evening."

Message = dict[str, Any]


@pytest.fixture
def home(tmp_path: Path) -> BotHome:
    return BotHome.make(tmp_path / "bot")


@pytest.fixture
def client(tmp_path: Path, home: BotHome) -> Iterator[PlaygroundClient]:
    with running_playground(tmp_path / "playground") as client, running_bot(home, client, ADMIN_IDS=str(ADMIN)):
        yield client


@pytest.fixture
def database(home: BotHome, client: PlaygroundClient) -> Iterator[Database]:
    opened = home.database()
    yield opened
    opened.close()


def wait_for(client: PlaygroundClient, person: int, text: str) -> Message:
    """Wait until the bot's newest message in a person's chat contains ``text``, and return the message."""

    def newest(chat: Message) -> Message | None:
        return next((message for message in reversed(chat["messages"]) if message["from_bot"]), None)

    chat = client.wait_for_chat(lambda chat: text in (newest(chat) or {"text": ""})["text"], chat_id=person)
    found = newest(chat)
    assert found is not None
    return found


def consent(client: PlaygroundClient, person: int) -> None:
    client.message("/consent", user_id=person)
    client.tap(wait_for(client, person, "May I?")["message_id"], "Yes, learn from me", user_id=person)
    wait_for(client, person, "I'll learn from your reviews")


def test_two_votes_make_a_label_and_an_admin_decides_when_they_differ(
    client: PlaygroundClient, database: Database
) -> None:
    for person in CONSENTING:
        consent(client, person)
    for review in (GOOD, MIXED):
        client.message(review, user_id=AUTHOR)
        wait_for(client, AUTHOR, "%")
    client.message("/label", user_id=AUTHOR)
    wait_for(client, AUTHOR, "No reviews need your vote")

    for person, on_mixed in ((ANN, "👍 Positive"), (BEN, "👎 Negative")):
        client.message("/label", user_id=person)
        votes = {GOOD: "👍 Positive", MIXED: on_mixed}
        for _ in range(2):
            shown = wait_for(client, person, "Is this review positive or negative?")
            text = next(review for review in votes if review in shown["text"])
            client.tap(shown["message_id"], votes.pop(text), user_id=person)
            other = next(iter(votes), "No reviews need your vote")
            changed = wait_for(client, person, other)
            assert changed["message_id"] == shown["message_id"], "one message, edited in place"

    assert labels(database) == {"Positive": 1}
    client.message("/quarantine", user_id=ANN)
    wait_for(client, ANN, "don't know that command")
    client.message("/quarantine", user_id=ADMIN)
    shown = wait_for(client, ADMIN, MIXED)
    assert "Positive 1 · Negative 1 · Neither 0" in shown["text"]
    client.tap(shown["message_id"], "👎 Negative", user_id=ADMIN)
    wait_for(client, ADMIN, "no disputed reviews")
    assert labels(database) == {"Positive": 1, "Negative": 1}


def test_a_new_labeller_starts_right_after_consent_and_labels_a_batch(client: PlaygroundClient) -> None:
    consent(client, AUTHOR)
    client.message(GOOD, user_id=AUTHOR)
    wait_for(client, AUTHOR, "%")
    client.message("/label 1000", user_id=CAT)
    wait_for(client, CAT, "/label 20")
    client.message("/label 1", user_id=CAT)
    asked = wait_for(client, CAT, "I need your consent for that first")
    assert GOOD not in asked["text"]
    client.tap(asked["message_id"], "Yes, learn from me", user_id=CAT)
    shown = wait_for(client, CAT, "Is this review positive or negative?")
    assert GOOD in shown["text"]
    assert "Go by the review as a whole" in shown["text"]
    client.tap(shown["message_id"], "👍 Positive", user_id=CAT)
    assert "1 today" in wait_for(client, CAT, "That was number 1.")["text"]
    client.tap(shown["message_id"], "1 more", user_id=CAT)
    wait_for(client, CAT, "No reviews need your vote")


def labels(database: Database) -> dict[str, int]:
    with database.reading() as unit:
        found = [text.label for text in eligible_texts(unit, 2, frozenset({ADMIN}))]
    return {label: found.count(label) for label in found}
