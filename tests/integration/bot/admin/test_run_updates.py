"""Messages about a training run are kept up to date until the run ends, not too often, and by only one process."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.admin.run_text import render_run
from bot.admin.run_updates import EDIT_INTERVAL, RunUpdates
from bot.database import AsyncDatabase
from bot.texts import texts_for
from storage.chat import outbox, people
from storage.chat.outbox import Draft
from storage.db.database import Database, UnitOfWork
from storage.db.states import ReplyState, RunKind, RunPhase, RunState, Trigger
from storage.privacy import erasure
from storage.training import followers, runs
from storage.training.runs import PhaseProgress, Run
from tests.run_chat import (
    ADA,
    BOT,
    CLEO,
    FORMER,
    SETTINGS,
    BotParts,
    WokenChats,
    claim_run,
    finish_held,
    later,
    report,
    sent,
    start_run,
)


async def test_a_former_admin_gets_no_more_updates(bot: BotParts) -> None:
    lease = await claim_run(bot, await start_run(bot, FORMER))
    await sent(bot, FORMER)
    await finish_held(bot, lease)
    await bot.updates.poll(later())
    assert await sent(bot, FORMER) == []


async def test_an_edit_waits_for_the_previous_one_and_two_seconds(bot: BotParts) -> None:
    lease = await claim_run(bot, await start_run(bot))
    await report(bot, lease, 10)
    await bot.updates.poll(later())
    # The message itself has not been sent, so it can't be edited yet.
    assert len(await sent(bot)) == 1
    await bot.updates.poll(datetime.now(UTC) + EDIT_INTERVAL / 2)
    assert await sent(bot) == []
    await bot.updates.poll(later())
    (first,) = await sent(bot)
    assert "10%" in first.payload["text"]
    assert first.telegram_message_id is not None
    await bot.updates.poll(later())
    assert await sent(bot) == [], "an unchanged message is not edited"
    await report(bot, lease, 20)
    await report(bot, lease, 30)
    await bot.updates.poll(later())
    (second,) = await sent(bot)
    assert "30%" in second.payload["text"]
    assert second.telegram_message_id == first.telegram_message_id
    assert bot.woken.chats == [ADA, ADA]


async def test_two_processes_of_one_bot_show_a_change_once(bot: BotParts, database: Database) -> None:
    lease = await claim_run(bot, await start_run(bot))
    await sent(bot)
    await finish_held(bot, lease)
    other_store = AsyncDatabase(database)
    other = RunUpdates(other_store, WokenChats(), BOT, SETTINGS)  # type: ignore[arg-type]
    now = later()
    stale = await bot.store.read(lambda unit: followers.active_followers(unit, BOT))
    await bot.updates.poll(now)
    await other.poll(now)
    assert [set(reply.payload) & {"text", "caption"} for reply in await sent(bot)] == [{"text"}, {"caption"}]
    # A process that read the row before the change loses the race.
    assert not await bot.store.write(lambda unit: followers.claim_edit(unit, stale[0], "anything"))


async def test_after_a_message_that_may_not_have_arrived_a_new_one_is_sent(bot: BotParts) -> None:
    lease = await claim_run(bot, await start_run(bot))
    await sent(bot, state=ReplyState.UNCERTAIN)
    await report(bot, lease, 50)
    await bot.updates.poll(later())
    (again,) = await sent(bot)
    assert again.telegram_message_id is None
    await report(bot, lease, 60)
    await bot.updates.poll(later())
    (change,) = await sent(bot)
    assert change.telegram_message_id == 100 + again.id


async def test_an_unreachable_chat_is_retried_only_at_the_end(bot: BotParts) -> None:
    lease = await claim_run(bot, await start_run(bot))
    await sent(bot, state=ReplyState.FAILED)
    await report(bot, lease, 50)
    await bot.updates.poll(later())
    assert await sent(bot) == []
    await finish_held(bot, lease)
    await bot.updates.poll(later())
    verdict, card = await sent(bot, state=ReplyState.FAILED)
    assert verdict.telegram_message_id is None
    assert card.payload["run_card"] == lease.run.id
    await bot.updates.poll(later(60))
    assert await sent(bot) == []


async def test_a_second_request_moves_the_message_down(bot: BotParts) -> None:
    lease = await claim_run(bot, await start_run(bot))
    (first,) = await sent(bot)
    await start_run(bot)
    _, moved, second = await sent(bot)
    assert moved.telegram_message_id == 100 + first.id
    assert "newer message" in moved.payload["text"]
    await report(bot, lease, 50)
    await bot.updates.poll(later())
    (change,) = await sent(bot)
    assert change.telegram_message_id == 100 + second.id


async def test_admins_are_notified_of_a_run_once_unless_it_is_old_or_cancelled(bot: BotParts) -> None:
    await bot.store.write(lambda unit: people.upsert_person(unit, ADA, "Ada", "en"))
    ask = await bot.store.write(lambda unit: runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.SCHEDULE))
    lease = await claim_run(bot, ask.run.id)
    await finish_held(bot, lease)
    await bot.updates.poll(later(25 * 60 * 60))
    assert await sent(bot) == [], "the run ended too long ago"
    await bot.updates.poll(later())
    await bot.updates.poll(later())
    (card,) = await sent(bot)
    assert card.payload["run_card"] == ask.run.id
    # The other admin has never written to the bot.
    assert await sent(bot, CLEO) == []
    second = await bot.store.write(lambda unit: runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.SCHEDULE))
    await bot.store.write(lambda unit: runs.cancel(unit, second.run.id))
    await bot.updates.poll(later())
    assert await sent(bot) == []


async def test_admins_are_notified_of_a_failed_run_without_a_card(bot: BotParts) -> None:
    await bot.store.write(lambda unit: people.upsert_person(unit, ADA, "Ada", "en"))
    ask = await bot.store.write(lambda unit: runs.request_run(unit, RunKind.FULL_RUN, Trigger.SCHEDULE))
    lease = await claim_run(bot, ask.run.id)
    error = "The disk is full."
    await bot.store.write(lambda unit: runs.finish(unit, lease, RunState.FAILED, error=error))
    await bot.updates.poll(later())
    (notice,) = await sent(bot)
    assert notice.payload["text"] == f"<b>Full run {ask.run.id}</b>\nIt failed: The disk is full."


async def test_an_erased_admin_gets_no_more_updates(bot: BotParts) -> None:
    lease = await claim_run(bot, await start_run(bot))
    await sent(bot)
    await bot.store.write(lambda unit: erasure.erase(unit, ADA))
    await finish_held(bot, lease)
    await bot.updates.poll(later())
    assert await sent(bot) == []


def test_followers_are_distinguished_by_bot_and_chat(database: Database) -> None:
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
        reply_id = outbox.enqueue(unit, Draft(BOT, ADA, {"text": "Run"}))
        here = followers.Follower(run.id, BOT, ADA, reply_id, "en", "first")
        followers.follow(unit, here)
        followers.follow(unit, replace(here, bot_id=BOT + 1))
    with database.unit_of_work() as unit:
        assert followers.active_followers(unit, BOT) == [here]
        assert followers.find_follower(unit, run.id, BOT, CLEO) is None
        assert followers.stop_following(unit, here)
        assert not followers.stop_following(unit, here)
        assert not followers.mark_notified(unit, run.id, BOT, ADA)
        assert followers.mark_notified(unit, run.id, BOT, CLEO)
        assert len(followers.active_followers(unit, BOT + 1)) == 1


async def test_every_phase_says_how_long_it_still_takes(bot: BotParts) -> None:
    lease = await claim_run(bot, await start_run(bot))
    await sent(bot)

    async def shown(phase: RunPhase, done: int, total: int | None, seconds: int) -> str:
        def record(unit: UnitOfWork) -> Run:
            runs.record_phase(unit, lease, PhaseProgress(phase, done, total))
            return runs.get_run(unit, lease.run.id)

        run = await bot.store.write(record)
        assert run.phase_since is not None
        return render_run(texts_for("en"), run, run.phase_since + timedelta(seconds=seconds))

    assert (await shown(RunPhase.LOADING, 0, None, 4)).endswith("Loading the models and the reviews.")
    assert (await shown(RunPhase.LOADING, 0, None, 12)).endswith("Loading the models and the reviews. 10 s so far.")
    assert (await shown(RunPhase.REVIEWS, 0, 6000, 7)).endswith("Comparing the models on IMDB reviews. 5 s so far.")
    assert (await shown(RunPhase.REVIEWS, 1500, 6000, 30)).endswith(
        "▓▓▓░░░░░░░░░ 25%\nComparing the models on IMDB reviews. About 90 s left."
    )
    assert (await shown(RunPhase.REVIEWS, 600, 6000, 30)).endswith("About 4 min left.")
    await report(bot, lease, 50)
    assert (await shown(RunPhase.TRAINING, 50, 100, 40)).endswith("reviews per second\nAbout 40 s left.")
