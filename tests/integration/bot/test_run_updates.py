"""Messages about a training run follow the database until the run ends, not too often, and from only one process."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from bot.admin.buttons import CardAction, CardTap, RunAction, RunTap
from bot.admin.promotion import PromotionDialog
from bot.admin.run_text import render_run
from bot.admin.run_updates import EDIT_INTERVAL, RunUpdates
from bot.admin.training_runs import RetrainDialog
from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender, Tap
from bot.texts import texts_for
from core.settings import Settings
from storage.chat import outbox, people
from storage.chat.outbox import Draft, Reply
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, ReplyState, RunKind, RunPhase, RunState, Trigger, Vote
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.privacy import erasure
from storage.privacy.consent import record_consent
from storage.training import followers, runs
from storage.training.runs import Lease, PhaseProgress, Run, RunProgress

BOT, ADA, CLEO, FORMER = 900, 11, 12, 13
ADMINS = frozenset([ADA, CLEO])
SETTINGS = Settings(_env_file=None, admin_ids=tuple(ADMINS))
SENTENCE = "Held: better on feedback, 61% to 74%, but 20 votes are too few to tell."


class WokenChats:
    """An outbox that only records which chats were woken."""

    def __init__(self) -> None:
        self.chats: list[int] = []

    def wake(self, chat_id: int) -> None:
        self.chats.append(chat_id)


class BotParts(NamedTuple):
    """The parts of a bot that handle training runs, on one database."""

    store: AsyncDatabase
    runs: RetrainDialog
    updates: RunUpdates
    woken: WokenChats
    notified: list[int]


@pytest.fixture
def bot(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[BotParts]:
    notified: list[int] = []
    monkeypatch.setattr("bot.admin.training_runs.notify_worker", lambda _, run_id: notified.append(run_id))
    store, woken = AsyncDatabase(database), WokenChats()
    updates = RunUpdates(store, woken, BOT, SETTINGS)  # type: ignore[arg-type]  # the code under test calls only wake
    yield BotParts(store, RetrainDialog(store, SETTINGS), updates, woken, notified)
    store.close()


def incoming_from(admin: int, update_id: int = 1) -> Incoming:
    return Incoming(BOT, (update_id,), admin, Sender(admin, f"Admin {admin}", "en"))


async def sent(bot: BotParts, chat_id: int = ADA, state: ReplyState = ReplyState.SENT) -> list[Reply]:
    """Send a chat's pending replies as the outbox would. A new message's id is its reply's id plus 100."""

    def send(unit: UnitOfWork) -> Reply | None:
        reply = outbox.claim_next(unit, BOT, chat_id)
        if reply is None:
            return None
        if state is ReplyState.SENT:
            outbox.mark_sent(unit, reply.id, reply.telegram_message_id or 100 + reply.id)
        elif state is ReplyState.UNCERTAIN:
            outbox.mark_uncertain(unit, reply.id, "the wire broke")
        else:
            outbox.mark_failed(unit, reply.id, "blocked")
        return reply

    every = []
    while (reply := await bot.store.write(send)) is not None:
        every.append(reply)
    return every


def later(seconds: float = 10) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def start_run(bot: BotParts, admin: int = ADA) -> int:
    """Request a run in an admin's chat and return its id."""
    await bot.runs.start(incoming_from(admin), RunKind.FULL_RUN)
    run = await bot.store.read(runs.open_run)
    assert run is not None
    return run.id


async def claim_run(bot: BotParts, run_id: int) -> Lease:
    def claim(unit: UnitOfWork) -> Lease:
        registry.register(unit, "champion", "0" * 64, "models/champion")
        registry.make_live(unit, "champion", "the first")
        lease = runs.claim(unit, run_id, "the test")
        assert lease is not None
        runs.record_snapshot(unit, lease, "champion")
        return lease

    return await bot.store.write(claim)


async def report(bot: BotParts, lease: Lease, step: int) -> None:
    await bot.store.write(lambda unit: runs.record_progress(unit, lease, RunProgress(step, 100, 4, 20.0)))


async def finish_held(bot: BotParts, lease: Lease, card: bytes | None = b"png") -> None:
    def end(unit: UnitOfWork) -> None:
        registry.register(unit, "candidate", "1" * 64, "candidate", lease.run.id)
        decision = {"sentence": SENTENCE}
        runs.finish(unit, lease, RunState.HELD, candidate="candidate", decision=decision, card=card)

    await bot.store.write(end)


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


@pytest.mark.parametrize("card", [b"png", None])
async def test_the_decision_has_a_button_only_while_it_applies(bot: BotParts, card: bytes | None) -> None:
    lease = await claim_run(bot, await start_run(bot))
    await sent(bot)
    await finish_held(bot, lease, card)
    await bot.updates.poll(later())
    _, decision = await sent(bot)
    assert ("run_card" in decision.payload) == (card is not None)
    assert SENTENCE in decision.payload["caption" if card else "text"]
    assert "reply_markup" in decision.payload

    def another(unit: UnitOfWork) -> None:
        registry.register(unit, "another", "2" * 64, "another")
        registry.make_live(unit, "another", "by hand")

    await bot.store.write(another)
    deciding = PromotionDialog(bot.store, SETTINGS)
    await deciding.handle_tap(Tap(incoming_from(CLEO, 2), 100 + decision.id), CardTap(lease.run.id, CardAction.YES))
    (change,) = await sent(bot, CLEO)
    shown = change.payload["caption" if card else "text"]
    assert "has changed since" in shown
    assert "reply_markup" not in change.payload
    live = await bot.store.read(registry.live_model)
    assert live is not None
    assert live.version == "another"


async def tap_card(bot: BotParts, lease: Lease, action: CardAction, update_id: int) -> dict[str, Any]:
    await PromotionDialog(bot.store, SETTINGS).handle_tap(
        Tap(incoming_from(ADA, update_id), 5), CardTap(lease.run.id, action)
    )
    (change,) = await sent(bot)
    return change.payload


async def test_a_promotion_records_the_admin_and_happens_once(bot: BotParts) -> None:
    lease = await claim_run(bot, await start_run(bot))
    await finish_held(bot, lease)
    await bot.updates.poll(later())
    await sent(bot)
    assert "has been promoted" in (await tap_card(bot, lease, CardAction.YES, 2))["caption"]
    assert "has already been promoted" in (await tap_card(bot, lease, CardAction.YES, 3))["caption"]
    first, *_ = changes = await bot.store.read(lambda unit: registry.changes(unit, 9))
    assert (first.who, first.from_version, first.to_version) == (ADA, "champion", "candidate")
    assert len(changes) == 2


async def test_a_model_without_files_is_not_promoted(bot: BotParts) -> None:
    lease = await claim_run(bot, await start_run(bot))
    await finish_held(bot, lease)
    await bot.updates.poll(later())
    await sent(bot)
    await bot.store.write(lambda unit: registry.mark_removed(unit, "candidate"))
    assert "files for candidate have been removed" in (await tap_card(bot, lease, CardAction.YES, 2))["caption"]


@pytest.mark.parametrize("state", [RunState.REJECTED, RunState.PROMOTED])
async def test_only_a_held_candidate_can_be_promoted(bot: BotParts, state: RunState) -> None:
    lease = await claim_run(bot, await start_run(bot))
    facts = {"candidate": "candidate", "decision": {"sentence": "It is decided."}, "card": b"png"}
    await bot.store.write(lambda unit: runs.finish(unit, lease, state, **facts))  # type: ignore[arg-type]
    await sent(bot)
    await bot.updates.poll(later())
    _, card = await sent(bot)
    assert "reply_markup" not in card.payload
    await tap_card(bot, lease, CardAction.YES, 2)
    live = await bot.store.read(registry.live_model)
    assert live is not None
    assert live.version == "champion"


async def test_a_tap_on_an_unknown_run_says_so(bot: BotParts) -> None:
    await PromotionDialog(bot.store, SETTINGS).handle_tap(Tap(incoming_from(ADA, 1), 5), CardTap(77, CardAction.YES))
    await bot.runs.handle_tap(Tap(incoming_from(ADA, 2), 6), RunTap(77, RunAction.YES))
    assert ["no longer available" in reply.payload["text"] for reply in await sent(bot)] == [True, True]


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


async def test_a_held_model_explains_itself_and_the_next_round_waits_for_votes(bot: BotParts) -> None:
    lease = await claim_run(bot, await start_run(bot))
    await sent(bot)

    def end(unit: UnitOfWork) -> None:
        registry.register(unit, "candidate", "1" * 64, "candidate", lease.run.id)
        decision = {"sentence": SENTENCE, "needed": 20, "may_try": True}
        runs.finish(unit, lease, RunState.HELD, candidate="candidate", decision=decision, card=b"png")

    await bot.store.write(end)
    await bot.updates.poll(later())
    _, card = await sent(bot)
    assert "<b>Held</b> means" in card.payload["caption"]
    rows = card.payload["reply_markup"]["inline_keyboard"]
    labels = [[button["text"] for button in row] for row in rows]
    assert labels == [["Promote on trial", "Promote"], ["Wait for 20 more votes"]]
    waiting = await tap_card(bot, lease, CardAction.WAIT, 2)
    assert "at 20 texts with usable votes" in waiting["caption"]
    assert len(waiting["reply_markup"]["inline_keyboard"]) == 1
    run = await bot.store.read(lambda unit: runs.get_run(unit, lease.run.id))
    assert run.retrain_at == 20
