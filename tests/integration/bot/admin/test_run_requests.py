"""Admins request and cancel training runs, and are told what a run will be able to prove."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.admin.buttons import RunAction, RunTap
from bot.incoming import Tap
from storage.db.database import UnitOfWork
from storage.db.states import Consent, RunKind, Trigger, Vote
from storage.feedback.votes import record_vote
from storage.privacy.consent import record_consent
from storage.training import followers, runs
from tests.run_chat import ADA, BOT, CLEO, BotParts, incoming_from, later, sent, start_run


async def test_a_run_is_requested_once_and_a_worker_notified(bot: BotParts) -> None:
    run_id = await start_run(bot)
    assert await start_run(bot, CLEO) == run_id
    while not bot.notified:
        await bot.updates.poll(datetime.now(UTC))
    assert bot.notified == [run_id]
    run = await bot.store.read(lambda unit: runs.get_run(unit, run_id))
    assert (run.trigger, run.requested_by) == (Trigger.ADMIN, ADA)
    assert len(await sent(bot, ADA)) == 1
    joined, message = await sent(bot, CLEO)
    assert "A run is already in progress" in joined.payload["text"]
    assert "Waiting for a worker" in message.payload["text"]


async def test_a_queued_run_is_cancelled_immediately(bot: BotParts) -> None:
    run_id = await start_run(bot)
    (message,) = await sent(bot)
    await bot.runs.handle_tap(Tap(incoming_from(ADA, 2), 100 + message.id), RunTap(run_id, RunAction.YES))
    (change,) = await sent(bot)
    assert "Cancelled" in change.payload["text"]
    assert "reply_markup" not in change.payload
    await bot.updates.poll(later())
    await bot.updates.poll(later())
    assert await sent(bot) == [], "a cancelled run has no card"
    assert await bot.store.read(lambda unit: followers.active_followers(unit, BOT)) == []


async def test_without_usable_votes_a_round_does_not_start(bot: BotParts) -> None:
    await bot.runs.start(incoming_from(ADA), RunKind.FEEDBACK_ROUND)
    (answer,) = await sent(bot)
    assert answer.payload["text"].startswith("There are no usable votes yet")
    assert "2 people agree on its label" in answer.payload["text"]
    assert await bot.store.read(runs.open_run) is None
    assert bot.notified == []


@pytest.mark.parametrize(
    ("usable", "sentence"),
    [
        (1, "Usable votes: 1. That's enough to learn from, but not enough to prove that the new model is better."),
        (12, "Usable votes: 12. That's enough to learn from, but not enough to prove"),
    ],
)
async def test_before_a_round_the_bot_says_what_it_will_be_able_to_tell(
    bot: BotParts, store_review: Callable[..., Any], usable: int, sentence: str
) -> None:
    def vote(unit: UnitOfWork) -> None:
        for number in range(usable):
            review = store_review(unit, f"Review {number}.", telegram_id=ADA)
            record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
        record_consent(unit, review.person_id, Consent.GRANTED, "test")

    await bot.store.write(vote)
    await bot.runs.start(incoming_from(ADA), RunKind.FEEDBACK_ROUND)
    forecast, message = await sent(bot)
    assert forecast.payload["text"].startswith(sentence)
    assert "promote it on trial" in forecast.payload["text"]
    assert "Waiting for a worker" in message.payload["text"]
    await bot.runs.start(incoming_from(CLEO), RunKind.FEEDBACK_ROUND)
    joined, _ = await sent(bot, CLEO)
    assert "already in progress" in joined.payload["text"]
