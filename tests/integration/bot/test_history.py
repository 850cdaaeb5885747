"""/history lists a person's messages page by page and can delete one. /mydata sends all data about the person."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from bot.texts import texts_for
from storage.backup.after_restore import settle
from storage.chat.people import find_person, upsert_person
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, Vote
from storage.db.tables import Base, MessagePartRow, MessageRow, PredictionRow, ReplyRow, UpdateRow, VoteRow
from storage.feedback.votes import record_vote
from storage.privacy.consent import record_consent
from storage.privacy.deletions import FILE_NAME, DeletionList, hash_of_message
from storage.privacy.personal_data import personal_data
from tests.conversation import PERSON, Conversation, conversation
from tests.inbox_parts import BOT_ID

GOOD, BAD = "A fine play, and I would see it again.", "A dull play, and I left before the end."
OTHER = 8
TEXTS = texts_for("en")
# Tables that hold nothing about a person who writes to a bot.
OTHER_TABLES = {
    "daily_counts",
    "serving",
    "workers",
    "bots",
    "gate_looks",
    "model_versions",
    "reported_troubles",
    "secrets",
}


@pytest.fixture
async def chat(database: Database, tmp_path: Path) -> AsyncIterator[Conversation]:
    async with conversation(database, tmp_path) as started:
        yield started


async def count(chat: Conversation, *tables: type[Base]) -> list[int]:
    return await chat.database.read(lambda unit: [len(unit.execute(select(table)).all()) for table in tables])


async def vote_as(chat: Conversation, telegram_id: int, text_number: int) -> None:
    """Have somebody else vote on the text that the person sent in this Telegram message."""

    def work(unit: UnitOfWork) -> None:
        other = upsert_person(unit, telegram_id, "Bo", "en")
        of_text = select(PredictionRow.id).join(MessagePartRow, MessagePartRow.message_id == PredictionRow.message_id)
        predictions = of_text.where(MessagePartRow.telegram_message_id == text_number)
        record_vote(unit, other.id, unit.scalars(predictions).one(), Vote.WRONG)

    await chat.database.write(work)


async def test_pages_show_each_message_once_with_its_verdict_and_vote(chat: Conversation) -> None:
    for number in range(6):
        await chat.write(f"A fine play, number {number}.")
    edited = await chat.write(GOOD)
    await chat.edit(edited, {"text": BAD})
    await chat.tap(TEXTS.button_wrong)
    await chat.write("/history")
    page = chat.newest["text"]
    assert page.startswith(TEXTS.history_title)
    assert f"“{BAD}”\n👎 <b>Negative</b> · 90%\n{TEXTS.history_vote_wrong}" in page
    assert GOOD not in page, "an edited text is shown as it is now"
    assert "number 2" in page
    assert "number 1" not in page
    older = await chat.tap(TEXTS.button_older)
    assert "number 1" in older["text"]
    assert "number 2" not in older["text"]
    newer = await chat.tap(TEXTS.button_newer)
    assert newer["text"] == page


async def test_nobody_sees_or_deletes_other_peoples_messages(chat: Conversation) -> None:
    await chat.write(GOOD)
    await chat.write("/history", person=OTHER)
    assert chat.newest["text"] == TEXTS.history_none
    await chat.write("/history")
    await chat.tap("🗑 1")
    stolen = await chat.tap(TEXTS.button_history_delete_yes, person=OTHER)
    assert TEXTS.history_gone in stolen["text"]
    assert await count(chat, MessageRow) == [1]


async def test_a_deleted_message_is_gone_with_everything_about_it(chat: Conversation, tmp_path: Path) -> None:
    kept = await chat.write("A fine play that stays.")
    number = await chat.write(GOOD)
    await chat.edit(number, {"text": BAD})
    await chat.tap(TEXTS.button_wrong)
    await vote_as(chat, OTHER, kept)
    await chat.write("/history")
    asked = await chat.tap("🗑 1")
    assert BAD in asked["text"]
    back = await chat.tap(TEXTS.button_no)
    assert BAD in back["text"]
    await chat.tap("🗑 1")
    done = await chat.tap(TEXTS.button_history_delete_yes)
    assert done["text"].startswith("Done. I've deleted that message, my verdict, your votes (1)")
    assert "A fine play that stays." in done["text"]
    assert BAD not in done["text"]
    assert await count(chat, MessageRow, MessagePartRow, PredictionRow, VoteRow) == [1, 1, 1, 1]
    deleted = DeletionList(tmp_path / FILE_NAME).since(datetime(2026, 1, 1, tzinfo=UTC))
    assert deleted == {await chat.database.read(lambda unit: hash_of_message(unit, BOT_ID, PERSON, number))}


async def test_a_restore_deletes_the_message_again(chat: Conversation) -> None:
    number = await chat.write(GOOD)
    await chat.write(BAD)

    def work(unit: UnitOfWork) -> tuple[int, int]:
        settled = settle(unit, {hash_of_message(unit, BOT_ID, PERSON, number)})
        return settled.people, settled.messages

    assert await chat.database.write(work) == (0, 1)
    assert await count(chat, MessageRow) == [1]


async def read_data(chat: Conversation, telegram_id: int = PERSON) -> dict[str, Any]:
    """Return the data in the file."""
    data = await chat.database.read(lambda unit: personal_data(unit, telegram_id))
    in_file: dict[str, Any] = json.loads(json.dumps(data))
    return in_file


async def test_the_file_has_everything_about_the_person_and_nothing_about_others(chat: Conversation) -> None:
    number = await chat.write(GOOD)
    await chat.edit(number, {"text": BAD})
    await chat.tap(TEXTS.button_wrong)
    await chat.tap(TEXTS.button_consent_yes)
    await chat.write("A fine text by somebody else.", person=OTHER)

    def work(unit: UnitOfWork) -> None:
        record_consent(unit, find_person(unit, PERSON) or 0, Consent.GRANTED, "2026-11", "notices:900")

    await chat.database.write(work)
    await chat.write("/mydata")
    assert chat.newest["personal_data"] is True
    data = await read_data(chat)
    assert data["person"]["name"] == "Ann"
    assert [(message["parts"][0]["text"], message["edited_since"]) for message in data["messages"]] == [
        (GOOD, True),
        (BAD, False),
    ]
    assert [prediction["label"] for prediction in data["predictions"]] == ["Positive", "Negative"]
    assert [(vote["verdict"], vote["label"]) for vote in data["votes"]] == [("wrong", "Positive")]
    assert [(line["scope"], line["consent"]) for line in data["consent_ledger"]] == [
        ("training", "asked"),
        ("training", "granted"),
        ("notices:900", "granted"),
    ]
    assert data["replies"][0]["payload"]["text"].startswith("👍 <b>Positive</b>")
    assert "somebody else" not in json.dumps(data)
    assert (await read_data(chat, 99))["person"] is None


def test_every_table_is_in_the_file_or_holds_nothing_about_a_person(database: Database) -> None:
    personal: set[str] = set()

    def add_tables(_connection: object, statement: Any, *_: object) -> None:
        personal.update(table.name for table in statement.get_final_froms())

    with database.reading() as unit:
        event.listen(unit.get_bind(), "before_execute", add_tables)
        personal_data(unit, PERSON)
    assert personal.isdisjoint(OTHER_TABLES)
    assert personal | OTHER_TABLES == set(Base.metadata.tables)


async def test_a_failed_edit_of_a_deleted_message_is_cleared(chat: Conversation) -> None:
    number = await chat.write(GOOD)
    payload = json.dumps({"update_id": 77, "edited_message": {"message_id": number, "text": BAD}})

    def store(unit: UnitOfWork) -> None:
        unit.add(UpdateRow(bot_id=BOT_ID, update_id=77, telegram_id=PERSON, payload=unit.cipher.encrypt(payload)))

    await chat.database.write(store)
    await chat.write("/history")
    await chat.tap("🗑 1")
    await chat.tap(TEXTS.button_history_delete_yes)

    def payloads(unit: UnitOfWork) -> list[bytes | None]:
        return list(unit.scalars(select(UpdateRow.payload).where(UpdateRow.update_id == 77)))

    assert await chat.database.read(payloads) == [None]
    assert await count(chat, ReplyRow) == [2]
