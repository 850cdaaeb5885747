"""The question that is sometimes asked below a verdict, and the reasons that people give for votes."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender, Tap
from bot.reviews import verdict_messages
from bot.reviews.buttons import QuestionTap, ReasonTap, VoteTap
from bot.reviews.verdict_messages import VerdictMessages
from bot.reviews.votes import VoteRecorder
from bot.texts import CONSENT_WORDING, QUESTION_WORDING, texts_for
from core.settings import Settings
from storage.chat import outbox, people, predictions
from storage.chat.outbox import Reply
from storage.db.column_types import utc_now
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, Reason, Vote
from storage.db.tables import ConsentRow, MessageRow, VoteRow
from storage.feedback import label_offers, votes
from storage.feedback.reasons import count_reasons, reasons_by_text
from storage.privacy.consent import record_consent
from storage.privacy.erasure import erase

StoreReview = Callable[..., Any]
BOT, PERSON, HELPER, ADMIN, MESSAGE = 900, 7, 8, 1, 55
TEXT = "I laughed a lot, and then I slept a lot."
TEXTS = texts_for("en")
TAP = Tap(Incoming(BOT, (), PERSON, Sender(PERSON, "Someone", "en")), MESSAGE)


def verdicts(chance: float) -> VerdictMessages:
    return VerdictMessages(Settings(admin_ids=(ADMIN,), question_chance=chance, _env_file=None))


ALWAYS, NEVER = verdicts(1), verdicts(0)


def consents(unit: UnitOfWork, telegram_id: int = PERSON, consent: Consent = Consent.GRANTED) -> int:
    person = people.upsert_person(unit, telegram_id, "Someone", "en")
    record_consent(unit, person.id, consent, CONSENT_WORDING)
    return person.id


def asked(unit: UnitOfWork, store_review: StoreReview, messages: VerdictMessages = ALWAYS, text: str = TEXT) -> bool:
    """Send a text, and return whether the answer asks if the verdict is right."""
    review = store_review(unit, text, telegram_id=PERSON)
    person = people.upsert_person(unit, PERSON, "Someone", "en")
    content = messages.new_answer(unit, TEXTS, person, review.prediction_id)
    assert content.keyboard is not None
    labels = [button["text"] for row in content.keyboard["inline_keyboard"] for button in row]
    prediction = predictions.get_prediction(unit, review.prediction_id)
    assert prediction is not None
    is_asked = content.text.endswith(f"\n\n{TEXTS.question}")
    assert (TEXTS.button_never_ask in labels) is (prediction.question_chance is not None) is is_asked
    return is_asked


def test_a_consenting_person_is_asked_at_most_once_a_day(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        consents(unit)
        assert asked(unit, store_review)
        assert not asked(unit, store_review)
        unit.change(update(MessageRow).values(created_at=utc_now() - timedelta(days=1, minutes=1)))
        assert asked(unit, store_review)


def test_the_question_is_drawn_and_its_chance_is_stored(
    database: Database, store_review: StoreReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Drawn:
        def random(self) -> float:
            return 0.25

    monkeypatch.setattr(verdict_messages, "_RANDOM", Drawn())
    with database.unit_of_work() as unit:
        consents(unit)
        assert not asked(unit, store_review, NEVER)
        assert not asked(unit, store_review, verdicts(0.25))
        review = store_review(unit, TEXT, telegram_id=PERSON)
        person = people.upsert_person(unit, PERSON, "Someone", "en")
        verdicts(0.3).new_answer(unit, TEXTS, person, review.prediction_id)
        prediction = predictions.get_prediction(unit, review.prediction_id)
        assert prediction is not None
        assert prediction.question_chance == 0.3


@pytest.mark.parametrize("consent", [None, Consent.ASKED, Consent.WITHDRAWN])
def test_a_person_whose_vote_could_not_be_used_is_not_asked(
    database: Database, store_review: StoreReview, consent: Consent | None
) -> None:
    with database.unit_of_work() as unit:
        if consent is not None:
            consents(unit, PERSON, consent)
        assert not asked(unit, store_review)


def test_a_person_who_labels_a_lot_is_not_asked(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        person_id = consents(unit)
        for number in range(20):
            label_offers.offer_gold(unit, person_id, f"Sentence {number}", "Positive")
        assert not asked(unit, store_review)


def test_nobody_is_asked_about_a_text_that_people_have_corrected(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, TEXT, telegram_id=PERSON)
        consents(unit)
        votes.record_vote(unit, consents(unit, ADMIN), review.prediction_id, Vote.WRONG)
        assert not asked(unit, store_review)


@pytest.fixture
def store(database: Database) -> Iterator[AsyncDatabase]:
    opened = AsyncDatabase(database)
    yield opened
    opened._thread.shutdown()


async def shown(store: AsyncDatabase) -> Reply:
    reply = await store.write(lambda unit: outbox.claim_next(unit, BOT, PERSON))
    assert reply is not None
    assert reply.telegram_message_id == MESSAGE
    return reply


def buttons(reply: Reply) -> list[str]:
    return [button["text"] for row in reply.payload["reply_markup"]["inline_keyboard"] for button in row]


VOTES = [TEXTS.button_right, TEXTS.button_wrong, TEXTS.button_neither]


async def test_one_tap_turns_the_question_off_forever(store: AsyncDatabase, store_review: StoreReview) -> None:
    def ask(unit: UnitOfWork) -> int:
        consents(unit)
        review = store_review(unit, TEXT, telegram_id=PERSON)
        person = people.upsert_person(unit, PERSON, "Someone", "en")
        ALWAYS.new_answer(unit, TEXTS, person, review.prediction_id)
        return int(review.prediction_id)

    prediction_id = await store.write(ask)
    recorder = VoteRecorder(store, ALWAYS)
    for _ in range(2):
        await recorder.handle_question_tap(TAP, QuestionTap(prediction_id, never=True))
        stopped = await shown(store)
        assert TEXTS.question not in stopped.payload["text"]
        assert stopped.payload["text"].endswith(TEXTS.question_stopped)
        assert buttons(stopped) == [*VOTES, TEXTS.button_why]

    def later(unit: UnitOfWork) -> bool:
        unit.change(update(MessageRow).values(created_at=utc_now() - timedelta(days=400)))
        return asked(unit, store_review)

    assert not await store.write(later)
    lines = await store.read(
        lambda unit: unit.execute(
            select(ConsentRow.consent, ConsentRow.wording).where(ConsentRow.scope == "questions")
        ).all()
    )
    assert lines == [(Consent.WITHDRAWN, QUESTION_WORDING)], "a repeated tap adds nothing"


async def store_vote(store: AsyncDatabase, store_review: StoreReview, vote: Vote) -> tuple[VoteRecorder, int]:
    """Store a consenting person's text, and vote on it with a tap."""

    def work(unit: UnitOfWork) -> int:
        consents(unit)
        return int(store_review(unit, TEXT, telegram_id=PERSON).prediction_id)

    recorder, prediction_id = VoteRecorder(store, NEVER), await store.write(work)
    await recorder.handle_tap(TAP, VoteTap(prediction_id, vote))
    return recorder, prediction_id


async def reason_of(store: AsyncDatabase) -> Reason | None:
    return await store.read(lambda unit: unit.scalar(select(VoteRow.reason)))


@pytest.mark.parametrize("vote", [Vote.WRONG, Vote.NEITHER])
async def test_a_reason_is_optional_and_stored_with_the_vote(
    store: AsyncDatabase, store_review: StoreReview, vote: Vote
) -> None:
    recorder, prediction_id = await store_vote(store, store_review, vote)
    asking = await shown(store)
    assert asking.payload["text"].endswith(TEXTS.reason_question)
    assert TEXTS.button_reason_sarcasm in buttons(asking)
    assert await reason_of(store) is None
    for reason in (Reason.OTHER, Reason.SARCASM):
        await recorder.handle_reason_tap(TAP, ReasonTap(prediction_id, reason))
        noted = await shown(store)
        assert noted.payload["text"].endswith(TEXTS.reason_noted)
        assert await reason_of(store) is reason
    assert f"• {TEXTS.button_reason_sarcasm} •" in buttons(noted)
    assert TEXTS.button_undo in buttons(noted)


async def test_a_vote_for_the_verdict_needs_no_reason(store: AsyncDatabase, store_review: StoreReview) -> None:
    recorder, prediction_id = await store_vote(store, store_review, Vote.RIGHT)
    assert buttons(await shown(store)) == [f"• {TEXTS.button_right} •", *VOTES[1:], TEXTS.button_why, TEXTS.button_undo]
    await recorder.handle_reason_tap(TAP, ReasonTap(prediction_id, Reason.SARCASM))
    assert TEXTS.voted_earlier_right in (await shown(store)).payload["text"]
    assert await reason_of(store) is None


@pytest.mark.parametrize("vote", [Vote.NEITHER, None])
async def test_a_changed_or_undone_vote_loses_its_reason(
    store: AsyncDatabase, store_review: StoreReview, vote: Vote | None
) -> None:
    recorder, prediction_id = await store_vote(store, store_review, Vote.WRONG)
    await recorder.handle_reason_tap(TAP, ReasonTap(prediction_id, Reason.SARCASM))
    await recorder.handle_tap(TAP, VoteTap(prediction_id, vote))
    assert await reason_of(store) is None
    if vote is None:
        await recorder.handle_reason_tap(TAP, ReasonTap(prediction_id, Reason.SARCASM))
        assert await reason_of(store) is None, "a late tap brings nothing back"


def test_reasons_count_as_long_as_their_votes_do(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, TEXT, telegram_id=PERSON)
        consents(unit)
        for telegram_id, reason in ((PERSON, Reason.BOTH), (HELPER, Reason.SARCASM)):
            person_id = consents(unit, telegram_id)
            votes.record_vote(unit, person_id, review.prediction_id, Vote.NEITHER)
            votes.record_reason(unit, person_id, review.prediction_id, reason)
        both = frozenset({Reason.BOTH, Reason.SARCASM})
        assert reasons_by_text(unit, frozenset()) == {unit.cipher.fingerprint(TEXT): both}
        consents(unit, HELPER, Consent.WITHDRAWN)
        assert count_reasons(unit, frozenset()) == {Reason.BOTH: 1}
        erase(unit, PERSON)
        assert count_reasons(unit, frozenset()) == {}
