"""People correct a text, say why they voted, and turn off the question below a verdict, all over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bot_process import BotHome, running_bot
from playground_process import running_playground
from sqlalchemy import select

from playground.client import PlaygroundClient
from storage.db.states import Reason
from storage.db.tables import PersonRow, PredictionRow, VoteRow

AUTHOR, ANN, STRANGER, LATER, ASKED, UNSURE = 10, 11, 12, 13, 14, 15
GOOD = "What a wonderful evening. The play was funny, warm and brilliantly acted, and I would see it again tomorrow."
BAD = "What a waste of an evening. The play was dull, cold and badly acted, and I left before the end of it."
CORRECTED = "👎 Negative · corrected by people"

Message = dict[str, Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> BotHome:
    return BotHome.make(tmp_path_factory.mktemp("home") / "bot")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, home: BotHome) -> Iterator[PlaygroundClient]:
    """A playground with a bot that asks about its verdicts whenever it is allowed to."""
    playground: Path = tmp_path_factory.mktemp("chats") / "playground"
    with running_playground(playground) as client, running_bot(home, client, QUESTION_CHANCE="1"):
        yield client


def wait_for(client: PlaygroundClient, person: int, text: str) -> Message:
    """Wait until the bot's newest message in a person's chat contains ``text``, and return the message."""

    def newest(chat: Message) -> Message:
        return next((message for message in reversed(chat["messages"]) if message["from_bot"]), {"text": ""})

    return newest(client.wait_for_chat(lambda chat: text in newest(chat)["text"], chat_id=person))


def tap(client: PlaygroundClient, person: int, message: Message, button: str, then: str) -> Message:
    """Tap a button, and wait until the same message contains ``then``."""
    client.tap(message["message_id"], button, user_id=person)

    def found(chat: Message) -> Message | None:
        same = (shown for shown in chat["messages"] if shown["message_id"] == message["message_id"])
        return next((shown for shown in same if then in shown["text"]), None)

    changed = found(client.wait_for_chat(lambda chat: found(chat) is not None, chat_id=person))
    assert changed is not None
    return changed


def consent(client: PlaygroundClient, person: int) -> None:
    client.message("/consent", user_id=person)
    tap(client, person, wait_for(client, person, "May I?"), "Yes, learn from me", "I'll learn from")


def test_a_corrected_text_is_answered_with_what_people_said_until_the_author_withdraws(
    client: PlaygroundClient, home: BotHome
) -> None:
    for person in (AUTHOR, ANN):
        consent(client, person)
    client.message(GOOD, user_id=AUTHOR)
    tap(client, AUTHOR, wait_for(client, AUTHOR, "👍 Positive"), "❌ Wrong", "You said I'm wrong")
    client.message("/label", user_id=ANN)
    tap(client, ANN, wait_for(client, ANN, GOOD), "👎 Negative", "No reviews need your vote")

    client.message(GOOD, user_id=STRANGER)
    corrected = wait_for(client, STRANGER, CORRECTED)
    own = tap(client, STRANGER, corrected, "🤖 The model's verdict", "People say it's 👎 Negative")
    assert own["text"].startswith("👍 Positive · ")
    back = tap(client, STRANGER, own, "👥 People's verdict", CORRECTED)
    tap(client, STRANGER, back, "❌ Wrong", "You said that's wrong")

    client.message("/consent", user_id=AUTHOR)
    tap(client, AUTHOR, wait_for(client, AUTHOR, "You let me learn"), "Take it back", "won't learn from")
    client.message(GOOD, user_id=LATER)
    assert "corrected" not in wait_for(client, LATER, "👍 Positive · ")["text"]

    database = home.database()
    with database.reading() as unit:
        rows = unit.execute(select(PredictionRow.label, PredictionRow.corrected).order_by(PredictionRow.id)).all()
    database.close()
    assert rows == [("Positive", False), ("Positive", True), ("Positive", False)]


def test_a_person_is_asked_below_a_verdict_and_turns_that_off(client: PlaygroundClient) -> None:
    consent(client, ASKED)
    client.message(BAD, user_id=ASKED)
    asked = wait_for(client, ASKED, "Was that right?")
    stopped = tap(client, ASKED, asked, "🔕 Don't ask me again", "I won't ask again")
    assert stopped["text"].startswith("👎 Negative")
    assert "Was that right?" not in stopped["text"]


def test_a_reason_is_one_tap_and_optional(client: PlaygroundClient, home: BotHome) -> None:
    client.message("It was a play, and I was there.", user_id=UNSURE)
    voted = tap(client, UNSURE, wait_for(client, UNSURE, "%"), "🤷 Neither", "tell me why")
    tap(client, UNSURE, voted, "Not a review", "that helps")
    database = home.database()
    with database.reading() as unit:
        reasons = select(VoteRow.reason).join(PersonRow).where(PersonRow.telegram_id == UNSURE)
        assert unit.scalars(reasons).all() == [Reason.NOT_REVIEW]
    database.close()
