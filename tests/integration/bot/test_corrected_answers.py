"""If people agreed on a text's label, the bot answers with that label. The model's own verdict is one tap away."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender, Tap
from bot.reviews.buttons import CorrectedTap, Shown, VoteTap
from bot.reviews.verdict_messages import VerdictMessages
from bot.reviews.votes import VoteRecorder
from bot.sending.replies import MessageContent
from bot.texts import CONSENT_WORDING, texts_for
from core.settings import Settings
from storage.chat import outbox, people, predictions
from storage.chat.outbox import Reply
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, Vote
from storage.feedback import votes
from storage.privacy.consent import record_consent
from storage.privacy.erasure import erase

StoreReview = Callable[..., Any]
BOT, MESSAGE = 900, 55
ADMIN, AUTHOR, HELPER, READER = 1, 7, 8, 9
TEXT = "Nothing about it was good."
TEXTS = texts_for("en")
SETTINGS = Settings(admin_ids=(ADMIN,), question_chance=0, _env_file=None)
VERDICTS = VerdictMessages(SETTINGS)
CORRECTED = "👎 <b>Negative</b> · corrected by people"


def consenting(unit: UnitOfWork, telegram_id: int, consent: Consent = Consent.GRANTED) -> int:
    person = people.upsert_person(unit, telegram_id, "Someone", "en")
    record_consent(unit, person.id, consent, CONSENT_WORDING)
    return person.id


def store_corrected(unit: UnitOfWork, store_review: StoreReview) -> Any:
    """Store a text by the author, with a verdict of Positive from the model and two votes for Negative."""
    review = store_review(unit, TEXT, telegram_id=AUTHOR, label="Positive")
    for telegram_id in (AUTHOR, HELPER):
        votes.record_vote(unit, consenting(unit, telegram_id), review.prediction_id, Vote.WRONG)
    return review


def answer(
    unit: UnitOfWork, store_review: StoreReview, telegram_id: int = READER, text: str = TEXT, label: str = "Positive"
) -> tuple[int, MessageContent]:
    """Send a text and return its prediction's id and the answer."""
    review = store_review(unit, text, telegram_id=telegram_id, label=label)
    person = people.upsert_person(unit, telegram_id, "Someone", "en")
    return review.prediction_id, VERDICTS.new_answer(unit, TEXTS, person, review.prediction_id)


def is_corrected(unit: UnitOfWork, store_review: StoreReview) -> bool:
    """Send the text again, and return whether the answer is the label that people agreed on."""
    prediction_id, content = answer(unit, store_review)
    prediction = predictions.get_prediction(unit, prediction_id)
    assert prediction is not None
    assert (prediction.label, prediction.logits) == ("Positive", (-1.0, 1.0)), "the prediction stays the model's"
    assert prediction.corrected is content.text.startswith(CORRECTED)
    return prediction.corrected


def test_a_text_on_which_people_agreed_is_answered_with_their_label(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        store_corrected(unit, store_review)
        assert is_corrected(unit, store_review)
        assert answer(unit, store_review)[1].text == CORRECTED
        assert answer(unit, store_review, AUTHOR)[1].text == f"{CORRECTED}\n\n{TEXTS.corrected_earlier_right}"
        assert "corrected" not in answer(unit, store_review, text=f"{TEXT} Really.")[1].text
        assert "corrected" not in answer(unit, store_review, label="Negative")[1].text, "the model is right by now"


def test_an_admins_vote_is_enough(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, TEXT, telegram_id=AUTHOR, label="Positive")
        consenting(unit, AUTHOR)
        admin = people.upsert_person(unit, ADMIN, "Someone", "en")
        assert not is_corrected(unit, store_review)
        votes.record_vote(unit, admin.id, review.prediction_id, Vote.WRONG)
        assert is_corrected(unit, store_review)


def one_vote(unit: UnitOfWork, prediction_id: int) -> None:
    votes.undo_vote(unit, consenting(unit, HELPER), prediction_id)


def disagreement(unit: UnitOfWork, prediction_id: int) -> None:
    votes.record_vote(unit, consenting(unit, READER), prediction_id, Vote.RIGHT)


def doubt(unit: UnitOfWork, prediction_id: int) -> None:
    votes.record_vote(unit, consenting(unit, READER), prediction_id, Vote.NEITHER)


def admins_decision(unit: UnitOfWork, prediction_id: int) -> None:
    votes.record_vote(unit, consenting(unit, ADMIN), prediction_id, Vote.RIGHT)


def authors_withdrawal(unit: UnitOfWork, _: int) -> None:
    consenting(unit, AUTHOR, Consent.WITHDRAWN)


def voters_withdrawal(unit: UnitOfWork, _: int) -> None:
    consenting(unit, HELPER, Consent.WITHDRAWN)


def authors_deletion(unit: UnitOfWork, _: int) -> None:
    erase(unit, AUTHOR)


def voters_deletion(unit: UnitOfWork, _: int) -> None:
    erase(unit, HELPER)


@pytest.mark.parametrize(
    "end",
    [
        one_vote,
        disagreement,
        doubt,
        admins_decision,
        authors_withdrawal,
        voters_withdrawal,
        authors_deletion,
        voters_deletion,
    ],
)
def test_the_correction_ends_at_once(
    database: Database, store_review: StoreReview, end: Callable[[UnitOfWork, int], None]
) -> None:
    with database.unit_of_work() as unit:
        review = store_corrected(unit, store_review)
        assert is_corrected(unit, store_review)
    with database.unit_of_work() as unit:
        end(unit, review.prediction_id)
    with database.unit_of_work() as unit:
        assert not is_corrected(unit, store_review)


def test_votes_without_consent_correct_nothing(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, TEXT, telegram_id=AUTHOR, label="Positive")
        consenting(unit, AUTHOR)
        for telegram_id in (HELPER, READER, 10):
            person = people.upsert_person(unit, telegram_id, "Someone", "en")
            votes.record_vote(unit, person.id, review.prediction_id, Vote.WRONG)
        assert not is_corrected(unit, store_review)


class ReaderChat:
    """The chat of a person who sent a text that people have corrected."""

    def __init__(self, store: AsyncDatabase, store_review: StoreReview) -> None:
        self.store, self.store_review = store, store_review
        self.recorder = VoteRecorder(store, VERDICTS)
        self.prediction_id = 0

    async def start(self) -> MessageContent:
        """Send the text and return the answer."""

        def work(unit: UnitOfWork) -> tuple[int, MessageContent]:
            store_corrected(unit, self.store_review)
            consenting(unit, READER)
            return answer(unit, self.store_review)

        self.prediction_id, content = await self.store.write(work)
        return content

    async def tap(self, action: Vote | Shown | None) -> Reply:
        """Tap a button under the correction and return the edited message."""
        await self.recorder.handle_corrected_tap(tap_of(READER), CorrectedTap(self.prediction_id, action))
        return await self.shown()

    async def shown(self) -> Reply:
        reply = await self.store.write(lambda unit: outbox.claim_next(unit, BOT, READER))
        assert reply is not None
        assert reply.telegram_message_id == MESSAGE
        return reply

    async def label(self) -> str | None:
        """Return the label that the person voted for, or None if they chose neither."""

        def work(unit: UnitOfWork) -> str | None:
            stored = votes.vote_of(unit, people.upsert_person(unit, READER, "Someone", "en").id, self.prediction_id)
            assert stored is not None
            return stored.label

        return await self.store.write(work)


def tap_of(telegram_id: int) -> Tap:
    return Tap(Incoming(BOT, (), telegram_id, Sender(telegram_id, "Someone", "en")), MESSAGE)


def buttons(shown: Reply | MessageContent) -> list[str]:
    keyboard = shown.keyboard if isinstance(shown, MessageContent) else shown.payload["reply_markup"]
    assert keyboard is not None
    return [button["text"] for row in keyboard["inline_keyboard"] for button in row]


@pytest.fixture
def chat(database: Database, store_review: StoreReview) -> Iterator[ReaderChat]:
    store = AsyncDatabase(database)
    yield ReaderChat(store, store_review)
    store._thread.shutdown()


VOTES = [TEXTS.button_right, TEXTS.button_wrong, TEXTS.button_neither]


async def test_the_models_own_verdict_is_one_tap_away(chat: ReaderChat) -> None:
    assert buttons(await chat.start()) == [*VOTES, TEXTS.button_show_model, TEXTS.button_why]
    own = await chat.tap(Shown.MODEL)
    assert own.payload["text"].startswith("👍 <b>Positive</b> · 90%")
    assert own.payload["text"].endswith("People say it's 👎 <b>Negative</b>.")
    assert buttons(own) == [*VOTES, TEXTS.button_show_people, TEXTS.button_why]
    back = await chat.tap(Shown.PEOPLE)
    assert back.payload["text"] == CORRECTED
    assert buttons(back) == [*VOTES, TEXTS.button_show_model, TEXTS.button_why]


async def test_right_under_a_correction_is_a_vote_for_the_label_that_is_shown(chat: ReaderChat) -> None:
    await chat.start()
    agreed = await chat.tap(Vote.RIGHT)
    assert agreed.payload["text"] == f"{CORRECTED}\n\n{TEXTS.corrected_right}"
    assert await chat.label() == "Negative"
    undone = await chat.tap(None)
    assert undone.payload["text"] == f"{CORRECTED}\n\n{TEXTS.vote_undone}"


@pytest.mark.parametrize(
    ("vote", "label", "thanks"),
    [(Vote.WRONG, "Positive", TEXTS.voted_right), (Vote.NEITHER, None, TEXTS.voted_neither)],
)
async def test_a_vote_against_a_correction_ends_it_and_the_message_says_so(
    chat: ReaderChat, vote: Vote, label: str | None, thanks: str
) -> None:
    await chat.start()
    ended = (await chat.tap(vote)).payload["text"]
    assert ended.startswith(f"{TEXTS.corrected_ended}\n\n👍 <b>Positive</b> · 90%")
    assert thanks in ended
    assert await chat.label() == label


async def test_a_vote_against_a_correction_that_an_admin_made_changes_only_the_vote(chat: ReaderChat) -> None:
    await chat.start()
    await chat.store.write(
        lambda unit: votes.record_vote(
            unit, people.upsert_person(unit, ADMIN, "Someone", "en").id, chat.prediction_id, Vote.WRONG
        )
    )
    shown = await chat.tap(Vote.WRONG)
    assert shown.payload["text"] == f"{CORRECTED}\n\n{TEXTS.corrected_wrong}"
    assert await chat.label() == "Positive"


async def test_a_vote_on_the_models_own_verdict_is_about_its_label(chat: ReaderChat) -> None:
    await chat.start()
    await chat.recorder.handle_tap(tap_of(READER), VoteTap(chat.prediction_id, Vote.WRONG))
    assert TEXTS.voted_wrong in (await chat.shown()).payload["text"]
    assert await chat.label() == "Negative"


async def test_nobody_can_see_another_chats_text_with_a_forged_tap(chat: ReaderChat) -> None:
    await chat.start()
    await chat.recorder.handle_corrected_tap(tap_of(HELPER), CorrectedTap(chat.prediction_id, Shown.MODEL))
    reply = await chat.store.write(lambda unit: outbox.claim_next(unit, BOT, HELPER))
    assert reply is not None
    assert reply.payload["text"] == TEXTS.vote_gone
