"""A person chats with the bot through the playground. The tests check the messages, the replies and the database."""

import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from bot_api import bot_api_errors
from demo_process import Demo
from sqlalchemy import select

from core.settings import Settings
from storage.db.database import Database
from storage.db.encryption import read_keys
from storage.db.states import Consent
from storage.db.tables import MessageRow, PersonRow, PredictionRow, VoteRow
from storage.privacy.consent import consent_of

GOOD = "What a wonderful evening. The play was funny, warm and brilliantly acted, and I would see it again tomorrow."
BAD = "What a waste of an evening. The play was dull, cold and badly acted, and I left before the end of it."
LABELS = ("Positive", "Negative")
_users = count(100)

Message = dict[str, Any]


@pytest.fixture
def person() -> int:
    """A new person for each test, so that tests share a demo but not chats."""
    return next(_users)


@pytest.fixture(scope="module")
def database(demo: Demo) -> Iterator[Database]:
    settings = Settings(data_dir=demo.data_dir, encryption_key_file=demo.data_dir / "encryption.key", _env_file=None)
    opened = Database.open(settings.database_address, read_keys(settings))
    yield opened
    opened.close()


def replies(chat: Message) -> list[Message]:
    return [message for message in chat["messages"] if message["from_bot"]]


def wait_for_replies(demo: Demo, person: int, number: int) -> list[Message]:
    return replies(demo.client.wait_for_chat(lambda chat: len(replies(chat)) >= number, chat_id=person))


def wait_for_text(demo: Demo, person: int, text: str) -> Message:
    """Wait for a message from the bot that contains ``text`` and return the message."""
    chat = demo.client.wait_for_chat(lambda chat: any(text in reply["text"] for reply in replies(chat)), chat_id=person)
    return next(reply for reply in replies(chat) if text in reply["text"])


def labels_in(text: str) -> list[str]:
    return [label for label in LABELS if label in text]


def buttons(message: Message) -> list[str]:
    return [button["text"] for row in message["buttons"] for button in row]


def send_and_wait(demo: Demo, person: int, text: str) -> Message:
    """Send a person's first text and return the reply."""
    demo.client.message(text, user_id=person)
    return wait_for_replies(demo, person, 1)[0]


@pytest.mark.parametrize(("text", "label"), [(GOOD, "Positive"), (BAD, "Negative")])
def test_a_review_gets_one_label_a_confidence_and_three_buttons(demo: Demo, person: int, text: str, label: str) -> None:
    verdict = send_and_wait(demo, person, text)
    assert labels_in(verdict["text"]) == [label]
    assert "%" in verdict["text"]
    assert buttons(verdict) == ["✅ Right", "❌ Wrong", "🤷 Neither", "💡 Why?"]


def test_a_tap_edits_the_verdict_stores_the_vote_and_asks_for_consent_once(
    demo: Demo, person: int, database: Database
) -> None:
    first = send_and_wait(demo, person, GOOD)
    demo.client.tap(first["message_id"], "❌ Wrong", user_id=person)
    thanked = wait_for_text(demo, person, "You said I'm wrong")
    assert thanked["message_id"] == first["message_id"]
    assert labels_in(thanked["text"]) == ["Positive"]
    assert "• ❌ Wrong •" in buttons(thanked)
    wait_for_text(demo, person, "May I learn from it?")
    with database.reading() as unit:
        row, prediction = unit.execute(
            select(VoteRow, PredictionRow)
            .join(PredictionRow, PredictionRow.id == VoteRow.prediction_id)
            .join(PersonRow, PersonRow.id == VoteRow.person_id)
            .where(PersonRow.telegram_id == person)
        ).one()
        assert (row.verdict, row.label) == ("wrong", "Negative")
        assert prediction.version in first["text"]
    demo.client.message(BAD, user_id=person)
    second = wait_for_replies(demo, person, 3)[-1]
    demo.client.tap(second["message_id"], "✅ Right", user_id=person)
    wait_for_text(demo, person, "You said I'm right")
    assert len(replies(demo.client.chat(person))) == 3, "consent is asked for once"


def test_a_second_tap_changes_the_vote_and_undo_removes_it(demo: Demo, person: int, database: Database) -> None:
    verdict = send_and_wait(demo, person, GOOD)
    number = verdict["message_id"]
    demo.client.tap(number, "✅ Right", user_id=person)
    wait_for_text(demo, person, "You said I'm right")
    demo.client.tap(number, "🤷 Neither", user_id=person)
    wait_for_text(demo, person, "You said it's neither")
    assert votes_of(database, person) == ["neither"]
    demo.client.tap(number, "↩️ Undo", user_id=person)
    undone = wait_for_text(demo, person, "I've undone your vote")
    assert buttons(undone) == ["✅ Right", "❌ Wrong", "🤷 Neither", "💡 Why?"]
    assert votes_of(database, person) == []


def test_every_tap_is_answered_before_it_is_handled(demo: Demo, person: int) -> None:
    verdict = send_and_wait(demo, person, GOOD)
    before = demo.client.outbox()[-1]["seq"]
    tap = demo.client.tap(verdict["message_id"], "✅ Right", user_id=person)
    wait_for_text(demo, person, "You said I'm right")
    calls = demo.client.outbox(before)
    assert calls[0]["method"] == "answerCallbackQuery"
    assert calls[0]["params"]["callback_query_id"] == tap["callback_id"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Das war der schlechteste Film, den ich in diesem Jahr gesehen habe.", "looks like German"),
        ("🎬🍿", "I need words"),
        ("https://example.org/a-review", "I don't open links"),
        ("...", "can't find any words"),
        ("/nonsense", "don't know that command"),
        ("/help", "/deleteme"),
        ("/id", "ADMIN_IDS"),
        ("/start", "Send me a review"),
        ("/privacy", "365 days"),
    ],
)
def test_a_text_that_is_not_a_review_gets_a_friendly_answer(demo: Demo, person: int, text: str, answer: str) -> None:
    reply = send_and_wait(demo, person, text)
    assert answer in reply["text"]
    assert labels_in(reply["text"]) == []
    assert reply["buttons"] == []


SENDERS: dict[str, Callable[[Demo, int], Any]] = {
    "pictures": lambda demo, person: demo.client.photo("dot.png", one_pixel(), user_id=person),
    "recordings": lambda demo, person: demo.client.voice(user_id=person),
    "sticker": lambda demo, person: demo.client.sticker(user_id=person),
    "only read text": lambda demo, person: demo.client.document("review.txt", b"A fine play.", user_id=person),
}


@pytest.mark.parametrize("about", SENDERS)
def test_a_message_without_text_gets_a_friendly_answer(demo: Demo, person: int, about: str) -> None:
    SENDERS[about](demo, person)
    assert about in wait_for_replies(demo, person, 1)[0]["text"]


def test_a_text_longer_than_a_window_is_read_completely_and_the_reply_says_so(demo: Demo, person: int) -> None:
    verdict = send_and_wait(demo, person, " ".join([BAD] * 12))
    assert labels_in(verdict["text"]) == ["Negative"]
    assert "overlapping parts" in verdict["text"]


def test_a_text_that_the_app_splits_gets_one_answer(demo: Demo, person: int, database: Database) -> None:
    text = "\n\n".join(f"Chapter {number}. {BAD}" for number in range(90))
    pieces = demo.client.paste(text, user_id=person)
    assert len(pieces) > 2
    wait_for_replies(demo, person, 1)
    asked_after = demo.client.message("Was that all? I hope so, for it was no good at all.", user_id=person)
    wait_for_replies(demo, person, 2)
    answers = replies(demo.client.chat(person))
    assert len(answers) == 2, "one for the joined text, one for the question"
    with database.reading() as unit:
        stored = unit.scalars(
            select(MessageRow)
            .join(PersonRow, PersonRow.id == MessageRow.person_id)
            .where(PersonRow.telegram_id == person)
        ).all()
        assert len(stored) == 2
    assert asked_after["message_id"] > pieces[-1]["message_id"]


def test_an_edited_message_gets_its_reply_edited_and_the_old_prediction_is_linked(
    demo: Demo, person: int, database: Database
) -> None:
    sent = demo.client.message(GOOD, user_id=person)
    verdict = wait_for_text(demo, person, "Positive")
    demo.client.edit(sent["message_id"], BAD, user_id=person)
    changed = wait_for_text(demo, person, "Negative")
    assert changed["message_id"] == verdict["message_id"]
    assert len(replies(demo.client.chat(person))) == 1
    with database.reading() as unit:
        old, new = unit.scalars(predictions_of(person)).all()
        assert new.replaces == old.id
    demo.client.edit(sent["message_id"], "🙈", user_id=person)
    wait_for_text(demo, person, "I need words")
    demo.client.edit(sent["message_id"], BAD, user_id=person)
    assert wait_for_text(demo, person, "Negative")["message_id"] == verdict["message_id"]


def test_a_refused_text_that_is_edited_gets_its_reply_edited(demo: Demo, person: int) -> None:
    sent = demo.client.message("😀😀", user_id=person)
    refusal = wait_for_text(demo, person, "I need words")
    demo.client.edit(sent["message_id"], GOOD, user_id=person)
    verdict = wait_for_text(demo, person, "Positive")
    assert verdict["message_id"] == refusal["message_id"]
    assert len(replies(demo.client.chat(person))) == 1


def test_a_review_that_is_edited_into_a_command_is_ignored(demo: Demo, person: int, database: Database) -> None:
    sent = demo.client.message(GOOD, user_id=person)
    wait_for_text(demo, person, "Positive")
    demo.client.edit(sent["message_id"], "/deleteme", user_id=person)
    demo.client.message(BAD, user_id=person)
    wait_for_text(demo, person, "Negative")
    with database.reading() as unit:
        assert len(unit.scalars(predictions_of(person)).all()) == 2


def test_consent_is_off_until_given_and_can_be_withdrawn(demo: Demo, person: int, database: Database) -> None:
    question = send_and_wait(demo, person, "/consent")
    assert consent(database, person) is Consent.ASKED
    demo.client.tap(question["message_id"], "Yes, learn from me", user_id=person)
    wait_for_text(demo, person, "I'll learn from your reviews")
    assert consent(database, person) is Consent.GRANTED
    demo.client.message("/consent", user_id=person)
    status = wait_for_text(demo, person, "You let me learn")
    demo.client.tap(status["message_id"], "Take it back", user_id=person)
    wait_for_text(demo, person, "won't learn from")
    assert consent(database, person) is Consent.WITHDRAWN


def test_deletion_is_confirmed_in_place_and_leaves_nothing(demo: Demo, person: int, database: Database) -> None:
    verdict = send_and_wait(demo, person, GOOD)
    demo.client.tap(verdict["message_id"], "✅ Right", user_id=person)
    wait_for_text(demo, person, "You said I'm right")
    demo.client.message("/deleteme", user_id=person)
    question = wait_for_text(demo, person, "This can't be undone")
    demo.client.tap(question["message_id"], "No, thanks", user_id=person)
    wait_for_text(demo, person, "Nothing was deleted")
    assert votes_of(database, person) == ["right"]
    demo.client.message("/deleteme", user_id=person)
    question = wait_for_text(demo, person, "This can't be undone")
    demo.client.tap(question["message_id"], "Delete everything", user_id=person)
    done = wait_for_text(
        demo,
        person,
        "I've deleted your messages (1), your votes (1), other people's votes on your messages (0), your name",
    )
    assert done["message_id"] == question["message_id"]
    with database.reading() as unit:
        assert unit.scalars(predictions_of(person)).all() == []
        assert unit.scalar(select(PersonRow).where(PersonRow.telegram_id == person)) is None
    demo.client.tap(verdict["message_id"], "❌ Wrong", user_id=person)
    wait_for_text(demo, person, "no longer have that message")


def test_every_call_of_the_bot_conforms_to_the_bot_api(demo: Demo) -> None:
    """Check that all of the bot's calls in the tests above were valid and accepted."""
    calls = demo.client.outbox()
    assert {"sendMessage", "editMessageText", "answerCallbackQuery", "setMyCommands"} <= {
        call["method"] for call in calls
    }
    assert [call for call in calls if not call["ok"]] == []
    faults = {fault for call in calls for fault in bot_api_errors(call["method"], call["params"])}
    assert faults == set()


def predictions_of(person: int) -> Any:
    return (
        select(PredictionRow)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .join(PersonRow, PersonRow.id == MessageRow.person_id)
        .where(PersonRow.telegram_id == person)
        .order_by(PredictionRow.id)
    )


def votes_of(database: Database, person: int) -> list[str]:
    with database.reading() as unit:
        rows = select(VoteRow.verdict).join(PersonRow).where(PersonRow.telegram_id == person)
        return [str(verdict) for verdict in unit.scalars(rows)]


def consent(database: Database, person: int) -> Consent:
    with database.reading() as unit:
        return consent_of(unit, unit.scalars(select(PersonRow.id).where(PersonRow.telegram_id == person)).one())


def one_pixel() -> bytes:
    """A PNG with a single black pixel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def test_a_text_that_is_no_review_gets_a_verdict_only_if_its_author_insists(demo: Demo, person: int) -> None:
    answer = send_and_wait(demo, person, "See you at eight then.")
    assert answer["text"].startswith("This doesn't read like a review to me")
    assert buttons(answer) == ["It is one"]
    demo.client.tap(answer["message_id"], "It is one", user_id=person)
    verdict = wait_for_text(demo, person, "model ")
    assert verdict["message_id"] == answer["message_id"]
    assert len(labels_in(verdict["text"])) == 1
    assert buttons(verdict)[:3] == ["✅ Right", "❌ Wrong", "🤷 Neither"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2 out of 10", "2 out of 10: that's 👎 Negative."),
        ("★★★☆☆", "★★★☆☆: that's mixed, neither positive nor negative."),
        ("I want to die.", "I'm only a program that reads reviews, but"),
        ("Да", "That looks like a language in Cyrillic letters to me"),
    ],
)
def test_rules_answer_ratings_cries_for_help_and_other_scripts(demo: Demo, person: int, text: str, answer: str) -> None:
    reply = send_and_wait(demo, person, text)
    assert reply["text"].startswith(answer)
    assert not reply["buttons"]
