"""A tap that votes on a verdict but arrives after the text was edited."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender, Tap
from bot.reviews.buttons import VoteTap
from bot.reviews.verdict_messages import VerdictMessages
from bot.reviews.votes import VoteRecorder
from core.settings import Settings
from storage.chat import outbox, predictions
from storage.db.database import Database, UnitOfWork
from storage.db.states import Vote
from storage.feedback import votes

BOT, PERSON, MESSAGE = 900, 7, 55
TAP = Tap(Incoming(BOT, (), PERSON, Sender(PERSON, "Someone", "en")), MESSAGE)
VERDICTS = VerdictMessages(Settings(_env_file=None))


async def test_a_tap_after_an_edit_shows_the_new_verdict_and_records_no_vote(
    database: Database, store_review: Callable[..., Any]
) -> None:
    store = AsyncDatabase(database)

    def edited(unit: UnitOfWork) -> tuple[int, int, int]:
        old = store_review(unit, "A joy to watch.", telegram_id=PERSON, label="Positive")
        new = store_review(unit, "A bore to watch.", telegram_id=PERSON, label="Negative")
        logits, version = (1.0, -1.0), "one"
        newest = predictions.store_prediction(
            unit, new.message_id, version, "Negative", 0.9, True, 1, logits, replaces=old.prediction_id
        )
        return old.person_id, old.prediction_id, newest

    person_id, old, newest = await store.write(edited)
    await VoteRecorder(store, VERDICTS).handle_tap(TAP, VoteTap(old, Vote.WRONG))
    reply = await store.write(lambda unit: outbox.claim_next(unit, BOT, PERSON))
    assert reply is not None
    assert reply.telegram_message_id == MESSAGE
    assert "Negative" in reply.payload["text"]
    buttons = [button["callback_data"] for row in reply.payload["reply_markup"]["inline_keyboard"] for button in row]
    assert all(data.startswith((f"judge:{newest}:", f"explain:{newest}")) for data in buttons)
    for prediction_id in (old, newest):
        vote = await store.read(lambda unit, one=prediction_id: votes.vote_of(unit, person_id, one))  # type: ignore[misc]
        assert vote is None


@pytest.mark.parametrize(
    ("vote", "later", "shown"),
    [
        (Vote.WRONG, "Negative", Vote.RIGHT),
        (Vote.RIGHT, "Negative", Vote.WRONG),
        (Vote.WRONG, "Positive", Vote.WRONG),
        (Vote.NEITHER, "Negative", Vote.NEITHER),
    ],
)
def test_an_earlier_vote_is_shown_as_a_vote_on_the_later_verdict(
    database: Database, store_review: Callable[..., Any], vote: Vote, later: str, shown: Vote
) -> None:
    with database.unit_of_work() as unit:
        first = store_review(unit, "A joy to watch.", telegram_id=PERSON, label="Positive", version="one")
        second = store_review(unit, "A joy to watch.", telegram_id=PERSON, label=later, version="two")
        votes.record_vote(unit, first.person_id, first.prediction_id, vote)
        person = TAP.incoming.sender.upsert(unit)
        content = VERDICTS.answer(unit, TAP.incoming.texts, person, second.prediction_id)
    texts = TAP.incoming.texts
    notes = {
        Vote.RIGHT: texts.voted_earlier_right,
        Vote.WRONG: texts.voted_earlier_wrong,
        Vote.NEITHER: texts.voted_earlier_neither,
    }
    assert content.text.endswith(notes[shown])
