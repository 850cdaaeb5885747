"""/settings changes what a person sees, and stores the choices with the person."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.texts import SETTINGS_WORDING, texts_for
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent
from storage.db.tables import ConsentRow
from storage.privacy.erasure import erase
from storage.privacy.personal_data import personal_data
from tests.conversation import PERSON, Conversation, conversation

GOOD = "A fine play, and I would see it again."
TEXTS = texts_for("en")


@pytest.fixture
async def chat(database: Database, tmp_path: Path) -> AsyncIterator[Conversation]:
    async with conversation(database, tmp_path) as started:
        yield started


async def test_percentages_are_hidden_everywhere_until_they_are_shown_again(chat: Conversation) -> None:
    verdict = await chat.write(GOOD)
    assert "90%" in chat.newest["text"]
    await chat.write("/settings")
    shown = await chat.tap(TEXTS.settings_percentages_on)
    assert TEXTS.settings_percentages_off in str(shown)
    voted = await chat.tap(TEXTS.button_wrong)
    assert voted["text"].startswith("👍 <b>Positive</b>\n")
    await chat.edit(verdict, {"text": f"{GOOD} Really."})
    await chat.write("/history")
    assert all("%" not in payload["text"] for payload in chat.shown.values())
    await chat.tap(TEXTS.settings_percentages_off)
    await chat.write(GOOD)
    assert "90%" in chat.newest["text"]


async def test_notices_and_questions_are_lines_in_the_consent_ledger(chat: Conversation) -> None:
    await chat.write("/settings")
    for button in (
        TEXTS.settings_notices_off,
        TEXTS.settings_notices_on,
        TEXTS.settings_questions_on,
        TEXTS.settings_questions_off,
    ):
        await chat.tap(button)

    def lines(unit: UnitOfWork) -> list[tuple[str, Consent, str]]:
        rows = unit.scalars(select(ConsentRow).order_by(ConsentRow.id))
        return [(row.scope, row.consent, row.wording) for row in rows]

    assert await chat.database.read(lines) == [
        ("notices:900", Consent.GRANTED, SETTINGS_WORDING),
        ("notices:900", Consent.WITHDRAWN, SETTINGS_WORDING),
        ("questions", Consent.WITHDRAWN, SETTINGS_WORDING),
        ("questions", Consent.GRANTED, SETTINGS_WORDING),
    ]


async def test_settings_are_in_the_file_and_are_erased(chat: Conversation) -> None:
    await chat.write("/settings")
    await chat.tap(TEXTS.settings_percentages_on)
    data = await chat.database.read(lambda unit: personal_data(unit, PERSON))
    assert data["person"]["shows_percentages"] is False
    await chat.database.write(lambda unit: erase(unit, PERSON))
    await chat.write(GOOD)
    assert "90%" in chat.newest["text"]
