"""What the bot says about a person's data is true, and every question can be declined."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.texts import texts_for
from storage.chat.people import upsert_person
from storage.db.database import Database, UnitOfWork
from storage.db.states import Vote
from storage.db.tables import ConsentRow, PredictionRow, VoteRow
from storage.feedback.votes import record_vote
from tests.conversation import PERSON, Conversation, conversation

GOOD, BAD = "A fine play, and I would see it again.", "A dull play, and I left before the end."
OTHER = 8
TEXTS = texts_for("en")


@pytest.fixture
async def chat(database: Database, tmp_path: Path) -> AsyncIterator[Conversation]:
    async with conversation(database, tmp_path, question_chance=1) as started:
        yield started


async def votes(chat: Conversation) -> list[tuple[Vote, str | None]]:
    def work(unit: UnitOfWork) -> list[tuple[Vote, str | None]]:
        return [(row.verdict, row.label) for row in unit.scalars(select(VoteRow).order_by(VoteRow.id))]

    return await chat.database.read(work)


async def vote_on_all_as(chat: Conversation, telegram_id: int) -> None:
    def work(unit: UnitOfWork) -> None:
        other = upsert_person(unit, telegram_id, "Bo", "en")
        for prediction_id in unit.scalars(select(PredictionRow.id)).all():
            record_vote(unit, other.id, prediction_id, Vote.WRONG)

    await chat.database.write(work)


async def test_deletion_counts_each_message_once_and_other_peoples_votes_separately(chat: Conversation) -> None:
    number = await chat.write(GOOD)
    await chat.edit(number, {"text": BAD})
    await chat.tap(TEXTS.button_wrong)
    await chat.write("A fine evening.")
    await vote_on_all_as(chat, OTHER)
    await chat.write("/deleteme")
    done = await chat.tap(TEXTS.button_delete)
    assert "messages (2), your votes (1), other people's votes on your messages (3)" in done["text"]


@pytest.mark.parametrize("edit", [BAD, "😀😀"])
async def test_the_vote_on_a_text_that_was_edited_no_longer_counts(chat: Conversation, edit: str) -> None:
    number = await chat.write(GOOD)
    await chat.tap(TEXTS.button_wrong)
    await chat.edit(number, {"text": edit})
    answer = next(iter(chat.shown.values()))["text"]
    assert answer.endswith(TEXTS.vote_replaced)
    assert await votes(chat) == []
    await chat.edit(number, {"text": "A fine play, all in all."})
    assert TEXTS.vote_replaced not in next(iter(chat.shown.values()))["text"], "there was no vote on the emoji"


async def test_a_vote_still_counts_if_another_message_has_the_text(chat: Conversation) -> None:
    first = await chat.write(GOOD)
    await chat.tap(TEXTS.button_wrong)
    await chat.write(GOOD)
    await chat.edit(first, {"text": BAD})
    assert await votes(chat) == [(Vote.WRONG, "Negative")]
    assert all(TEXTS.vote_replaced not in payload["text"] for payload in chat.shown.values())


async def test_privacy_names_the_operator_and_the_periods(database: Database, tmp_path: Path) -> None:
    settings = {"operator_name": "Ada & Co", "operator_contact": "ada@example.org", "retention_days": 30}
    async with conversation(database, tmp_path, **settings) as chat:
        await chat.write("/privacy")
        text = chat.newest["text"]
    assert "<b>Who runs this bot.</b> Ada &amp; Co, ada@example.org" in text
    assert "after 30 days" in text
    assert "after 7 days" in text
    assert "longer" not in text


async def test_privacy_says_if_there_is_no_operator(chat: Conversation) -> None:
    await chat.write("/privacy")
    assert TEXTS.privacy_operator_unknown in chat.newest["text"]


async def test_every_question_can_be_declined(chat: Conversation) -> None:
    await chat.write("/deleteme")
    assert (await chat.tap(TEXTS.button_no))["text"] == TEXTS.delete_kept
    await chat.write("/consent")
    assert (await chat.tap(TEXTS.button_no))["text"] == TEXTS.consent_withdrawn
    await chat.write("/consent")
    await chat.tap(TEXTS.button_consent_yes)
    assert (await chat.tap(TEXTS.button_no))["text"] == TEXTS.notices_withdrawn

    await chat.write(GOOD)
    assert TEXTS.question in chat.newest["text"]
    plain = await chat.tap(TEXTS.button_no)
    assert TEXTS.question not in plain["text"]
    asked = await chat.tap(TEXTS.button_wrong)
    assert asked["text"].endswith(TEXTS.reason_question)
    thanked = await chat.tap(TEXTS.button_no)
    assert thanked["text"].endswith(TEXTS.voted_wrong)

    def scopes(unit: UnitOfWork) -> set[str]:
        return set(unit.scalars(select(ConsentRow.scope)))

    assert await chat.database.read(scopes) == {"training", "notices:900"}, "declining one question turns nothing off"


async def test_a_labeller_can_decline_a_text_which_stays_open(chat: Conversation) -> None:
    for person in (PERSON, OTHER):
        await chat.write("/consent", person=person)
        await chat.tap(TEXTS.button_consent_yes, person=person)
    await chat.write(GOOD)
    await chat.write("/label", person=OTHER)
    assert GOOD in chat.newest["text"]
    assert (await chat.tap(TEXTS.button_no, person=OTHER))["text"] == TEXTS.label_stopped
    await chat.write("/label", person=OTHER)
    assert GOOD in chat.newest["text"]
