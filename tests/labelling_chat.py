"""A labeller's chat with the labelling parts of the bot, for tests on real databases."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select, update

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender, Tap
from bot.labelling.buttons import LabelAction, OfferTap, parse_offer_tap, parse_quarantine_tap
from bot.labelling.gold_questions import gold_questions
from bot.labelling.label import LabellingDialog
from bot.labelling.quarantine import QuarantineDialog
from bot.texts import CONSENT_WORDING, texts_for
from core.settings import Settings
from storage.chat import outbox, people
from storage.chat.outbox import Reply
from storage.db.database import UnitOfWork
from storage.db.states import Consent, Vote
from storage.db.tables import PersonRow, PredictionRow, VoteRow
from storage.privacy import consent

StoreReview = Callable[..., Any]
BOT = 900
ADMIN, AUTHOR, LABELLER, OTHER = 1, 7, 8, 9
ADMINS = frozenset({ADMIN})
MESSAGE = 55
TEXTS = texts_for("en")
GOLD = {question.text: question.label for question in gold_questions()}


class Chat:
    """One person's chat with the labelling parts of the bot."""

    def __init__(self, store: AsyncDatabase, telegram_id: int, store_review: StoreReview, **given: Any) -> None:
        settings = Settings(admin_ids=(ADMIN,), _env_file=None, **given)
        self.store, self.telegram_id, self.store_review = store, telegram_id, store_review
        self.labelling = LabellingDialog(store, settings)
        self.quarantine_dialog = QuarantineDialog(store, settings)

    def incoming(self) -> Incoming:
        return Incoming(BOT, (), self.telegram_id, Sender(self.telegram_id, "Someone", "en"))

    def tap(self) -> Tap:
        return Tap(self.incoming(), MESSAGE)

    async def shown(self) -> Reply:
        """Return the only pending reply."""
        reply = await self.store.write(lambda unit: outbox.claim_next(unit, BOT, self.telegram_id))
        assert reply is not None
        assert await self.store.write(lambda unit: outbox.claim_next(unit, BOT, self.telegram_id)) is None
        return reply

    async def label(self, *words: str) -> Reply:
        await self.labelling.start(self.incoming(), list(words))
        reply = await self.shown()
        assert reply.telegram_message_id is None, "it is a new message"
        return reply

    async def answer(self, shown: Reply, action: LabelAction) -> Reply:
        """Tap a button under a question and return the edited message."""
        await self.labelling.handle_tap(self.tap(), button_of(shown, action))
        reply = await self.shown()
        assert reply.telegram_message_id == MESSAGE, "it is edited in place"
        return reply

    async def quarantine(self) -> Reply:
        await self.quarantine_dialog.start(self.incoming())
        return await self.shown()

    async def decide(self, shown: Reply, action: LabelAction) -> Reply:
        taps = [parse_quarantine_tap(data) for data in data_of(shown)]
        await self.quarantine_dialog.handle_tap(self.tap(), next(tap for tap in taps if tap.action is action))
        reply = await self.shown()
        assert reply.telegram_message_id == MESSAGE
        return reply


def data_of(shown: Reply) -> list[str]:
    return [button["callback_data"] for row in shown.payload["reply_markup"]["inline_keyboard"] for button in row]


def button_of(shown: Reply, action: LabelAction) -> OfferTap:
    return next(tap for tap in map(parse_offer_tap, data_of(shown)) if tap.action is action)


def actions(shown: Reply) -> list[LabelAction]:
    return [parse_offer_tap(data).action for data in data_of(shown)]


def quarantine_actions(shown: Reply) -> list[LabelAction]:
    return [parse_quarantine_tap(data).action for data in data_of(shown)]


def question(shown: Reply) -> str:
    """Return the text that a question asks about."""
    _, intro, text = shown.payload["text"].partition("Is this review positive or negative?\n\n")
    assert intro, shown.payload["text"]
    return str(text)


def noted(action: LabelAction, today: int) -> str:
    label = {
        LabelAction.POSITIVE: TEXTS.button_positive,
        LabelAction.NEGATIVE: TEXTS.button_negative,
        LabelAction.NEITHER: TEXTS.button_neither,
    }[action]
    return TEXTS.label_noted.format(label=label, today=today)


def asks(shown: Reply) -> bool:
    return "positive or negative?" in shown.payload["text"]


def give_consent(unit: UnitOfWork, telegram_id: int, wording: str = CONSENT_WORDING) -> int:
    person = people.upsert_person(unit, telegram_id, "Someone", "en")
    consent.record_consent(unit, person.id, Consent.GRANTED, wording)
    return person.id


async def store_texts(chat: Chat, *texts: str, author: int = AUTHOR) -> list[Any]:
    """Store texts by an author who consented, with the least certain prediction first."""

    def work(unit: UnitOfWork) -> list[Any]:
        give_consent(unit, author)
        reviews = [chat.store_review(unit, text, telegram_id=author) for text in texts]
        for number, review in enumerate(reviews):
            confidence = {"confidence": 0.6 + number / 1000}
            unit.change(update(PredictionRow).where(PredictionRow.id == review.prediction_id).values(confidence))
        return reviews

    return await chat.store.write(work)


async def votes_of(chat: Chat, telegram_id: int = LABELLER) -> list[tuple[int, Vote, str | None]]:
    """Return a person's votes, each with the prediction and the label."""
    rows = (
        select(VoteRow.prediction_id, VoteRow.verdict, VoteRow.label)
        .join(PersonRow, PersonRow.id == VoteRow.person_id)
        .where(PersonRow.telegram_id == telegram_id)
        .order_by(VoteRow.id)
    )
    return await chat.store.read(lambda unit: [(row[0], row[1], row[2]) for row in unit.execute(rows)])
