"""Texts that are answered by a rule never reach the model, and no part of them is stored."""

from typing import cast

import pytest
from sqlalchemy import func, select

from bot.counts import WITHOUT_VERDICT
from bot.database import AsyncDatabase
from bot.incoming import Incoming, IncomingText, Sender
from bot.reviews.answers import ReviewResponder
from bot.reviews.verdict_messages import VerdictMessages
from bot.serving.live_model import LiveModel
from bot.texts import texts_for
from core.settings import Settings
from storage.chat import outbox
from storage.chat.messages import MessagePart
from storage.db.database import UnitOfWork
from storage.db.tables import MessageRow, PredictionRow

BOT, PERSON = 900, 7
TEXTS = texts_for("en")
SETTINGS = Settings(_env_file=None)


class NoModel:
    async def verdict(self, text: str) -> None:
        raise AssertionError(f"the model was asked about {text!r}")


@pytest.mark.parametrize(
    ("text", "answer", "reason"),
    [
        ("8/10", "8/10: that's 👍 <b>Positive</b>.", "a rating"),
        ("I'd give it 2 stars.", "2 stars: that's 👎 <b>Negative</b>.", "a rating"),
        ("★★★☆☆", "★★★☆☆: that's mixed, neither positive nor negative.", "a rating"),
        ("I want to die.", TEXTS.cry_for_help, "a cry for help"),
        ("Да", "That looks like a language in Cyrillic letters to me", "not English"),
        ("...", TEXTS.empty, "no words"),
        ("🍿", TEXTS.only_emoji, "only emoji"),
        ("https://example.org", TEXTS.only_link, "only a link"),
    ],
)
async def test_a_text_for_a_rule_is_answered_without_buttons_and_not_stored(
    each_store: AsyncDatabase, text: str, answer: str, reason: str
) -> None:
    responder = ReviewResponder(each_store, cast("LiveModel", NoModel()), VerdictMessages(SETTINGS))
    incoming = Incoming(BOT, (), PERSON, Sender(PERSON, "Someone", "en"))
    before = WITHOUT_VERDICT.labels(reason)._value.get()
    await responder.answer(IncomingText(incoming, (MessagePart(1, text),)))

    def read(unit: UnitOfWork) -> tuple[outbox.Reply | None, int]:
        counts = (unit.scalar(select(func.count()).select_from(table)) or 0 for table in (MessageRow, PredictionRow))
        return outbox.claim_next(unit, BOT, PERSON), sum(counts)

    reply, stored = await each_store.write(read)
    assert reply is not None
    assert reply.payload["text"].startswith(answer)
    assert "reply_markup" not in reply.payload
    assert stored == 0
    assert WITHOUT_VERDICT.labels(reason)._value.get() == before + 1
