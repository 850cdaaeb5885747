"""A text that doesn't read like a review gets no verdict unless its author says that it is a review."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.counts import WITHOUT_VERDICT
from bot.database import AsyncDatabase
from bot.incoming import Incoming, IncomingText, Sender, Tap
from bot.reviews.answers import ReviewResponder
from bot.reviews.buttons import parse_abstention_tap
from bot.reviews.verdict_messages import VerdictMessages
from bot.reviews.votes import VoteRecorder
from bot.serving.live_model import LiveModel
from bot.texts import CONSENT_WORDING, texts_for
from core.settings import Settings
from ml.serving.engine import Verdict
from storage.chat import outbox, people, predictions
from storage.chat.messages import MessagePart, store_message
from storage.chat.outbox import Reply
from storage.db.database import Database, UnitOfWork
from storage.db.states import Abstention, Consent, Selection, Vote
from storage.feedback import votes
from storage.feedback.label_queue import LabelQueueRules, next_text
from storage.models.registry import register
from storage.privacy.consent import record_consent

BOT, AUTHOR, HELPER, MESSAGE = 900, 7, 8, 55
TEXT = "See you at eight then."
TEXTS = texts_for("en")
VERDICTS = VerdictMessages(Settings(question_chance=1, _env_file=None))
RULES = LabelQueueRules(quorum=2, admins=frozenset(), wording=CONSENT_WORDING)

StoreReview = Callable[..., Any]


def incoming(person: int = AUTHOR) -> Incoming:
    return Incoming(BOT, (), person, Sender(person, "Someone", "en"))


class Abstaining(LiveModel):
    """A model that thinks no text reads like a review."""

    def __init__(self) -> None:
        pass

    async def verdict(self, text: str) -> Verdict:
        return Verdict("Positive", 0.93, True, 1, (-1.3, 1.3), "one", is_review=False)


def take_reply(unit: UnitOfWork, chat: int = AUTHOR) -> Reply:
    reply = outbox.claim_next(unit, BOT, chat)
    assert reply is not None
    return reply


def buttons(reply: Reply) -> list[str]:
    return [button["text"] for row in reply.payload["reply_markup"]["inline_keyboard"] for button in row]


async def test_the_author_overrules_the_abstention(each_store: AsyncDatabase) -> None:
    await each_store.write(lambda unit: register(unit, "one", "0" * 64, "models/one"))
    before = WITHOUT_VERDICT.labels("not a review")._value.get()
    await ReviewResponder(each_store, Abstaining(), VERDICTS).answer(
        IncomingText(incoming(), (MessagePart(MESSAGE, TEXT),))
    )
    reply = await each_store.write(take_reply)
    assert reply.payload["text"] == TEXTS.not_a_review
    assert buttons(reply) == [TEXTS.button_is_review]
    assert WITHOUT_VERDICT.labels("not a review")._value.get() == before + 1

    prediction_id = parse_abstention_tap(reply.payload["reply_markup"]["inline_keyboard"][0][0]["callback_data"])
    await each_store.write(lambda unit: outbox.mark_sent(unit, reply.id, MESSAGE + 1))
    tap = Tap(incoming(), MESSAGE + 1)
    await VoteRecorder(each_store, VERDICTS).handle_abstention_tap(tap, prediction_id)
    edited = await each_store.write(take_reply)
    assert edited.payload["text"].startswith("👍 <b>Positive</b> · 93%")
    assert buttons(edited)[:3] == [TEXTS.button_right, TEXTS.button_wrong, TEXTS.button_neither]
    stored = await each_store.read(lambda unit: predictions.get_prediction(unit, prediction_id))
    assert stored is not None
    assert stored.abstention is Abstention.OVERRULED
    assert stored.question_chance is None, "nobody is asked about a verdict that was not shown"


def abstain(unit: UnitOfWork, store_review: StoreReview, text: str = TEXT, telegram_id: int = AUTHOR) -> Any:
    review = store_review(unit, text, telegram_id=telegram_id)
    prediction_id = predictions.store_prediction(
        unit, review.message_id, "one", "Positive", 0.9, True, 1, (-1.0, 1.0), is_review=False
    )
    return review.person_id, prediction_id


def shown(unit: UnitOfWork, person: int, prediction_id: int) -> str:
    return VERDICTS.answer(unit, TEXTS, people.upsert_person(unit, person, "Someone", "en"), prediction_id).text


@pytest.mark.parametrize("selection", Selection)
def test_labellers_are_not_offered_such_texts_unless_the_author_overrules(
    database: Database, store_review: StoreReview, selection: Selection
) -> None:
    with database.unit_of_work() as unit:
        author = people.upsert_person(unit, AUTHOR, "Author", "en")
        helper = people.upsert_person(unit, HELPER, "Helper", "en")
        for person in (author, helper):
            record_consent(unit, person.id, Consent.GRANTED, CONSENT_WORDING)
        register(unit, "one", "0" * 64, "models/one")
        message_id = store_message(unit, author.id, BOT, AUTHOR, [MessagePart(1, TEXT)])
        prediction_id = predictions.store_prediction(
            unit, message_id, "one", "Positive", 0.9, True, 1, (-1.0, 1.0), is_review=False
        )
        assert next_text(unit, helper.id, RULES, selection) is None
        predictions.overrule_abstention(unit, prediction_id)
        queued = next_text(unit, helper.id, RULES, selection)
        assert queued is not None
        assert queued.prediction_id == prediction_id


def test_a_person_who_voted_on_the_text_gets_the_verdict(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        person_id, prediction_id = abstain(unit, store_review)
        assert shown(unit, AUTHOR, prediction_id) == TEXTS.not_a_review
        votes.record_vote(unit, person_id, prediction_id, Vote.RIGHT)
        assert "Positive" in shown(unit, AUTHOR, prediction_id)
        _, other = abstain(unit, store_review, telegram_id=HELPER)
        assert shown(unit, HELPER, other) == TEXTS.not_a_review


def test_a_text_on_which_people_agreed_gets_their_label(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        person_id, prediction_id = abstain(unit, store_review)
        helper = people.upsert_person(unit, HELPER, "Helper", "en")
        for voter in (person_id, helper.id):
            record_consent(unit, voter, Consent.GRANTED, CONSENT_WORDING)
            votes.record_vote(unit, voter, prediction_id, Vote.WRONG)
        _, again = abstain(unit, store_review, telegram_id=9)
        assert shown(unit, 9, again).startswith("👎 <b>Negative</b> · corrected by people")
