"""``/why`` and the button below a verdict explain the verdict, and only the reply is stored."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select
from weighted_engine import weighted_classifier

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender
from bot.reviews.explanations import ExplanationResponder
from bot.reviews.verdict_messages import VerdictMessages
from bot.serving.live_model import LiveModel
from bot.texts import CONSENT_WORDING, texts_for
from core.settings import Settings
from storage.chat import inbox, messages, outbox, people, predictions
from storage.chat.messages import MessagePart
from storage.chat.outbox import Draft, Reply
from storage.db.database import UnitOfWork
from storage.db.states import Consent, Vote
from storage.db.tables import PredictionRow, ReplyRow
from storage.feedback import votes
from storage.models import registry
from storage.privacy.consent import record_consent
from storage.privacy.erasure import erase

BOT, PERSON, FRIEND, UPDATE = 900, 7, 8, 1
TEXTS = texts_for("en")
SHORT = "A slow & boring film, but charming."
LONG = f"{'It went on and on. ' * 30}👍 That part was slow and boring. {'Then it went on. ' * 30}"
DOWN = "👎 <b>boring</b> and <b>slow</b> pulled it down"


class Chat:
    """A person's chat with the bot, whose live model is ``weights``."""

    def __init__(self, store: AsyncDatabase, window: int = 128) -> None:
        classifier, self.engine = weighted_classifier(window=window)
        self.store, self.model = store, LiveModel(classifier)
        verdicts = VerdictMessages(Settings(_env_file=None))
        self.responder = ExplanationResponder(store, self.model, verdicts)
        self.incoming = Incoming(BOT, (UPDATE,), PERSON, Sender(PERSON, "Ann", "en"))

    async def review(
        self,
        *parts: str,
        person: int = PERSON,
        first: int = 50,
        revises: int | None = None,
        is_review: bool = True,
    ) -> int:
        """Store a text with its prediction and its sent verdict, and return the prediction's id."""

        def work(unit: UnitOfWork) -> int:
            inbox.receive(unit, BOT, UPDATE, PERSON, "{}")
            registry.register(unit, "weights", "0" * 64, "models/weights")
            author = people.upsert_person(unit, person, "Ann", "en")
            pieces = [MessagePart(first + number, text) for number, text in enumerate(parts)]
            old = predictions.get_prediction(unit, revises) if revises else None
            text = messages.store_message(unit, author.id, BOT, person, pieces, old.message_id if old else None)
            found = predictions.store_prediction(
                unit, text, "weights", "Negative", 0.9, True, 1, (1.0, -1.0), replaces=revises, is_review=is_review
            )
            reply = outbox.enqueue(unit, Draft(BOT, person, {"text": "verdict"}, author.id, found, answers=first))
            outbox.mark_sent(unit, reply, first + 40)
            return found

        return await self.store.write(work)

    async def reply(self) -> Reply:
        """Return the reply, after checking that it was committed together with the handled update."""
        assert await self.store.read(lambda unit: inbox.pending_updates(unit, BOT)) == []
        reply = await self.store.write(lambda unit: outbox.claim_next(unit, BOT, PERSON))
        assert reply is not None
        return reply


@pytest.fixture
def chat(each_store: AsyncDatabase) -> Iterator[Chat]:
    opened = Chat(each_store)
    yield opened
    opened.model.close()


async def test_the_newest_verdict_is_explained(chat: Chat) -> None:
    await chat.review("Charming.", first=40)
    await chat.review(SHORT)
    await chat.review("Charming too.", person=FRIEND, first=60)
    await chat.responder.explain_newest(chat.incoming)
    reply = await chat.reply()
    assert reply.payload["text"].startswith(f"{DOWN}; <b>charming</b> pulled it up.\n")
    assert "A <b>slow</b> &amp; <b>boring</b> film" in reply.payload["text"]
    assert reply.payload["quoted_message"] == {"message_id": 50}
    assert "reply_markup" not in reply.payload
    assert len(chat.engine.calls) <= 2


async def test_a_text_that_is_not_a_review_hides_no_earlier_verdict(chat: Chat) -> None:
    await chat.review(SHORT)
    await chat.review("See you at eight.", first=60, is_review=False)
    await chat.responder.explain_newest(chat.incoming)
    assert (await chat.reply()).payload["quoted_message"] == {"message_id": 50}


@pytest.mark.parametrize("message", [90, 50], ids=["verdict", "review"])
async def test_a_reply_chooses_the_verdict(chat: Chat, message: int) -> None:
    await chat.review(SHORT)
    await chat.review("Charming.", first=60)
    await chat.responder.explain_message(chat.incoming, message)
    assert DOWN in (await chat.reply()).payload["text"]


async def test_the_button_explains_its_verdict_after_an_edit(chat: Chat) -> None:
    old = await chat.review("Charming.")
    await chat.review(SHORT, revises=old)
    await chat.responder.explain_prediction(chat.incoming, old)
    assert DOWN in (await chat.reply()).payload["text"]


async def test_the_passage_that_decided_in_a_long_review_is_quoted(chat: Chat) -> None:
    prediction = await chat.review("It began.", LONG)
    await chat.responder.explain_prediction(chat.incoming, prediction)
    payload = (await chat.reply()).payload
    quoted = payload["quoted_message"]
    assert quoted["message_id"] == 51
    assert "👍 That part was slow and boring." in quoted["quote"]
    units = LONG.encode("utf-16-le")[2 * quoted["quote_position"] :]
    assert units.startswith(quoted["quote"].encode("utf-16-le"))
    assert f"{TEXTS.why_passage}\n<blockquote expandable>" in payload["text"]
    assert "<b>slow</b> and <b>boring</b>." in payload["text"]


async def test_a_corrected_text_was_decided_by_people(chat: Chat) -> None:
    prediction = await chat.review(SHORT)

    def agree(unit: UnitOfWork) -> None:
        for telegram_id in (PERSON, FRIEND):
            person = people.upsert_person(unit, telegram_id, "Someone", "en")
            record_consent(unit, person.id, Consent.GRANTED, CONSENT_WORDING)
            votes.record_vote(unit, person.id, prediction, Vote.WRONG)

    await chat.store.write(agree)
    await chat.responder.explain_prediction(chat.incoming, prediction)
    text = (await chat.reply()).payload["text"]
    assert text.startswith(f"{TEXTS.why_corrected}\nMy own verdict is 👎 <b>Negative</b>")


async def nothing(chat: Chat) -> None:
    await chat.responder.explain_newest(chat.incoming)


async def no_verdict(chat: Chat) -> None:
    await chat.responder.explain_message(chat.incoming, 12)


async def other_persons_text(chat: Chat) -> None:
    await chat.responder.explain_prediction(chat.incoming, await chat.review(SHORT, person=FRIEND))


async def deleted(chat: Chat) -> None:
    prediction = await chat.review(SHORT)
    await chat.store.write(lambda unit: erase(unit, PERSON))
    await chat.responder.explain_prediction(chat.incoming, prediction)


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (nothing, TEXTS.why_nothing_yet),
        (no_verdict, TEXTS.why_no_verdict),
        (other_persons_text, TEXTS.why_gone),
        (deleted, TEXTS.why_gone),
    ],
)
async def test_without_a_verdict_the_reply_says_so(chat: Chat, ask: Callable[[Chat], Any], answer: str) -> None:
    await ask(chat)
    assert (await chat.reply()).payload["text"] == answer
    assert chat.engine.calls == []


async def test_the_text_may_be_deleted_during_the_explanation(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    prediction = await chat.review(SHORT)
    explain = chat.model.explain

    async def explain_then_erase(text: str) -> Any:
        explanation = await explain(text)
        await chat.store.write(lambda unit: erase(unit, PERSON))
        return explanation

    monkeypatch.setattr(chat.model, "explain", explain_then_erase)
    await chat.responder.explain_prediction(chat.incoming, prediction)
    assert (await chat.reply()).payload["text"] == TEXTS.why_gone


async def test_an_explanation_stores_nothing_but_a_reply_that_is_deleted_with_the_person(chat: Chat) -> None:
    prediction = await chat.review(SHORT)

    def rows(unit: UnitOfWork) -> tuple[int | None, int | None]:
        counts = [unit.scalar(select(func.count()).select_from(table)) for table in (PredictionRow, ReplyRow)]
        return counts[0], counts[1]

    assert await chat.store.read(rows) == (1, 1)
    await chat.responder.explain_prediction(chat.incoming, prediction)
    assert await chat.store.read(rows) == (1, 2)
    await chat.store.write(lambda unit: erase(unit, PERSON))
    assert await chat.store.read(rows) == (0, 0)
