"""Messages of training runs change as the rows do: not too often, once whoever looks, and to the end."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from bot.admin.buttons import CardAction, CardTap, RunAction, RunTap
from bot.admin.promotion import PromotionDialog
from bot.admin.run_updates import EDIT_INTERVAL, RunUpdates
from bot.admin.training_runs import RetrainDialog
from bot.database import AsyncDatabase
from bot.transport.conversation import Incoming, Sender, Tap
from core.settings import Settings
from storage.chat import outbox, people
from storage.chat.outbox import Draft, Reply
from storage.db.database import Database, UnitOfWork
from storage.db.states import ReplyState, RunKind, RunState, Trigger
from storage.models import registry
from storage.privacy import erasure
from storage.training import followers, runs
from storage.training.runs import Lease, RunProgress

BOT, ADA, CLEO, FORMER = 900, 11, 12, 13
ADMINS = frozenset([ADA, CLEO])
SENTENCE = "Held: better on feedback, 61% to 74%, but 20 held-out corrections are too few to tell."


class Woken:
    """An outbox that only notes which chats are owed something."""

    def __init__(self) -> None:
        self.chats: list[int] = []

    def wake(self, chat_id: int) -> None:
        self.chats.append(chat_id)


class Place(NamedTuple):
    """A bot's parts that training runs in the chat need, on one database."""

    store: AsyncDatabase
    retraining: RetrainDialog
    watch: RunUpdates
    woken: Woken
    nudged: list[int]


@pytest.fixture
def place(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    nudged: list[int] = []
    monkeypatch.setattr("bot.admin.training_runs.notify_worker", lambda _, run_id: nudged.append(run_id))
    store, woken = AsyncDatabase(database), Woken()
    watch = RunUpdates(store, woken, BOT, ADMINS)  # type: ignore[arg-type]  # it wakes and nothing else
    yield Place(store, RetrainDialog(store, Settings(_env_file=None)), watch, woken, nudged)
    store.close()


def said_by(admin: int, update_id: int = 1) -> Incoming:
    return Incoming(BOT, (update_id,), admin, Sender(admin, f"Admin {admin}", "en"))


async def sent(place: Place, chat_id: int = ADA, state: ReplyState = ReplyState.SENT) -> list[Reply]:
    """Send what is owed to a chat, as the outbox does; new messages are numbered from 100 by their replies."""

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
    while (reply := await place.store.write(send)) is not None:
        every.append(reply)
    return every


def later(seconds: float = 10) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def asked(place: Place, admin: int = ADA) -> int:
    """Ask for a run in an admin's chat; the run's id."""
    await place.retraining.start(said_by(admin), RunKind.FEEDBACK_ROUND)
    run = await place.store.read(runs.open_run)
    assert run is not None
    return run.id


async def claimed(place: Place, run_id: int) -> Lease:
    def claim(unit: UnitOfWork) -> Lease:
        registry.register(unit, "champion", "0" * 64, "models/champion")
        registry.make_live(unit, "champion", "the first")
        lease = runs.claim(unit, run_id, "the test")
        assert lease is not None
        runs.record_snapshot(unit, lease, "champion")
        return lease

    return await place.store.write(claim)


async def report(place: Place, lease: Lease, step: int) -> None:
    await place.store.write(lambda unit: runs.record_progress(unit, lease, RunProgress(step, 100, 4, 20.0)))


async def hold(place: Place, lease: Lease, card: bytes | None = b"png") -> None:
    def end(unit: UnitOfWork) -> None:
        registry.register(unit, "candidate", "1" * 64, "candidate", lease.run.id)
        decision = {"sentence": SENTENCE}
        runs.finish(unit, lease, RunState.HELD, candidate="candidate", decision=decision, card=card)

    await place.store.write(end)


async def test_a_run_is_asked_for_once_and_a_worker_told(place: Place) -> None:
    run_id = await asked(place)
    assert await asked(place, CLEO) == run_id
    while not place.nudged:
        await place.watch.poll(datetime.now(UTC))
    assert place.nudged == [run_id]
    run = await place.store.read(lambda unit: runs.get_run(unit, run_id))
    assert (run.trigger, run.requested_by) == (Trigger.ADMIN, ADA)
    assert len(await sent(place, ADA)) == 1
    joined, message = await sent(place, CLEO)
    assert "A run is already in progress" in joined.payload["text"]
    assert "Waiting for a worker" in message.payload["text"]


async def test_who_is_no_admin_any_more_sees_nothing_more_of_a_run(place: Place) -> None:
    lease = await claimed(place, await asked(place, FORMER))
    await sent(place, FORMER)
    await hold(place, lease)
    await place.watch.poll(later())
    assert await sent(place, FORMER) == []


async def test_an_edit_waits_for_the_one_before_and_for_two_seconds(place: Place) -> None:
    lease = await claimed(place, await asked(place))
    await report(place, lease, 10)
    await place.watch.poll(later())
    # The message itself has not gone out, so nothing can change it.
    assert len(await sent(place)) == 1
    await place.watch.poll(datetime.now(UTC) + EDIT_INTERVAL / 2)
    assert await sent(place) == []
    await place.watch.poll(later())
    (first,) = await sent(place)
    assert "10%" in first.payload["text"]
    assert first.telegram_message_id is not None
    await place.watch.poll(later())
    assert await sent(place) == [], "what is shown already is not shown again"
    await report(place, lease, 20)
    await report(place, lease, 30)
    await place.watch.poll(later())
    (second,) = await sent(place)
    assert "30%" in second.payload["text"]
    assert second.telegram_message_id == first.telegram_message_id
    assert place.woken.chats == [ADA, ADA]


async def test_two_processes_of_one_bot_show_a_change_once(place: Place, database: Database) -> None:
    lease = await claimed(place, await asked(place))
    await sent(place)
    await hold(place, lease)
    other_store = AsyncDatabase(database)
    other = RunUpdates(other_store, Woken(), BOT, ADMINS)  # type: ignore[arg-type]
    now = later()
    stale = await place.store.read(lambda unit: followers.active_followers(unit, BOT))
    await place.watch.poll(now)
    await other.poll(now)
    assert [set(reply.payload) & {"text", "caption"} for reply in await sent(place)] == [{"text"}, {"caption"}]
    # One who read the row before that change loses the race for it.
    assert not await place.store.write(lambda unit: followers.claim_edit(unit, stale[0], "anything"))


async def test_a_message_that_may_not_have_arrived_is_followed_by_a_new_one(place: Place) -> None:
    lease = await claimed(place, await asked(place))
    await sent(place, state=ReplyState.UNCERTAIN)
    await report(place, lease, 50)
    await place.watch.poll(later())
    (again,) = await sent(place)
    assert again.telegram_message_id is None
    await report(place, lease, 60)
    await place.watch.poll(later())
    (change,) = await sent(place)
    assert change.telegram_message_id == 100 + again.id


async def test_who_cannot_be_reached_is_tried_again_at_the_end_only(place: Place) -> None:
    lease = await claimed(place, await asked(place))
    await sent(place, state=ReplyState.FAILED)
    await report(place, lease, 50)
    await place.watch.poll(later())
    assert await sent(place) == []
    await hold(place, lease)
    await place.watch.poll(later())
    verdict, card = await sent(place, state=ReplyState.FAILED)
    assert verdict.telegram_message_id is None
    assert card.payload["run_card"] == lease.run.id
    await place.watch.poll(later(60))
    assert await sent(place) == []


async def test_asking_again_moves_the_message_down(place: Place) -> None:
    lease = await claimed(place, await asked(place))
    (first,) = await sent(place)
    await asked(place)
    _, moved, second = await sent(place)
    assert moved.telegram_message_id == 100 + first.id
    assert "newer message" in moved.payload["text"]
    await report(place, lease, 50)
    await place.watch.poll(later())
    (change,) = await sent(place)
    assert change.telegram_message_id == 100 + second.id


@pytest.mark.parametrize("card", [b"png", None])
async def test_the_decision_has_a_button_only_while_it_holds(place: Place, card: bytes | None) -> None:
    lease = await claimed(place, await asked(place))
    await sent(place)
    await hold(place, lease, card)
    await place.watch.poll(later())
    _, decision = await sent(place)
    assert ("run_card" in decision.payload) == (card is not None)
    assert SENTENCE in decision.payload["caption" if card else "text"]
    assert "reply_markup" in decision.payload

    def another(unit: UnitOfWork) -> None:
        registry.register(unit, "another", "2" * 64, "another")
        registry.make_live(unit, "another", "by hand")

    await place.store.write(another)
    deciding = PromotionDialog(place.store)
    await deciding.handle_tap(Tap(said_by(CLEO, 2), 100 + decision.id), CardTap(lease.run.id, CardAction.YES))
    (change,) = await sent(place, CLEO)
    shown = change.payload["caption" if card else "text"]
    assert "has changed since" in shown
    assert "reply_markup" not in change.payload
    live = await place.store.read(registry.live_model)
    assert live is not None
    assert live.version == "another"


async def _decided(place: Place, lease: Lease, wish: CardAction, update_id: int) -> dict[str, Any]:
    await PromotionDialog(place.store).handle_tap(Tap(said_by(ADA, update_id), 5), CardTap(lease.run.id, wish))
    (change,) = await sent(place)
    return change.payload


async def test_a_promotion_names_the_admin_and_is_made_once(place: Place) -> None:
    lease = await claimed(place, await asked(place))
    await hold(place, lease)
    await place.watch.poll(later())
    await sent(place)
    assert "is live now" in (await _decided(place, lease, CardAction.YES, 2))["caption"]
    assert "is already live" in (await _decided(place, lease, CardAction.YES, 3))["caption"]
    first, *_ = changes = await place.store.read(lambda unit: registry.changes(unit, 9))
    assert (first.who, first.from_version, first.to_version) == (ADA, "champion", "candidate")
    assert len(changes) == 2


async def test_a_model_whose_files_are_gone_is_not_promoted(place: Place) -> None:
    lease = await claimed(place, await asked(place))
    await hold(place, lease)
    await place.watch.poll(later())
    await sent(place)
    await place.store.write(lambda unit: registry.mark_removed(unit, "candidate"))
    assert "files of candidate were removed" in (await _decided(place, lease, CardAction.YES, 2))["caption"]


@pytest.mark.parametrize("state", [RunState.REJECTED, RunState.PROMOTED])
async def test_only_what_was_held_can_be_promoted(place: Place, state: RunState) -> None:
    lease = await claimed(place, await asked(place))
    facts = {"candidate": "candidate", "decision": {"sentence": "It is decided."}, "card": b"png"}
    await place.store.write(lambda unit: runs.finish(unit, lease, state, **facts))  # type: ignore[arg-type]
    await sent(place)
    await place.watch.poll(later())
    _, card = await sent(place)
    assert "reply_markup" not in card.payload
    await _decided(place, lease, CardAction.YES, 2)
    live = await place.store.read(registry.live_model)
    assert live is not None
    assert live.version == "champion"


async def test_taps_on_what_is_not_known_say_so(place: Place) -> None:
    await PromotionDialog(place.store).handle_tap(Tap(said_by(ADA, 1), 5), CardTap(77, CardAction.YES))
    await place.retraining.handle_tap(Tap(said_by(ADA, 2), 6), RunTap(77, RunAction.YES))
    assert ["no longer available" in reply.payload["text"] for reply in await sent(place)] == [True, True]


async def test_a_queued_run_is_cancelled_at_once(place: Place) -> None:
    run_id = await asked(place)
    (message,) = await sent(place)
    await place.retraining.handle_tap(Tap(said_by(ADA, 2), 100 + message.id), RunTap(run_id, RunAction.YES))
    (change,) = await sent(place)
    assert "Cancelled" in change.payload["text"]
    assert "reply_markup" not in change.payload
    await place.watch.poll(later())
    await place.watch.poll(later())
    assert await sent(place) == [], "a cancelled run has no card"
    assert await place.store.read(lambda unit: followers.active_followers(unit, BOT)) == []


async def test_admins_hear_of_a_run_once_unless_it_is_old_or_was_cancelled(place: Place) -> None:
    await place.store.write(lambda unit: people.upsert_person(unit, ADA, "Ada", "en"))
    ask = await place.store.write(lambda unit: runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.SCHEDULE))
    lease = await claimed(place, ask.run.id)
    await hold(place, lease)
    await place.watch.poll(later(25 * 60 * 60))
    assert await sent(place) == [], "it is no news any more"
    await place.watch.poll(later())
    await place.watch.poll(later())
    (card,) = await sent(place)
    assert card.payload["run_card"] == ask.run.id
    # The other admin never wrote to the bot, and people who are none hear nothing.
    assert await sent(place, CLEO) == []
    second = await place.store.write(lambda unit: runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.SCHEDULE))
    await place.store.write(lambda unit: runs.cancel(unit, second.run.id))
    await place.watch.poll(later())
    assert await sent(place) == []


async def test_a_failed_run_is_news_without_a_card(place: Place) -> None:
    await place.store.write(lambda unit: people.upsert_person(unit, ADA, "Ada", "en"))
    ask = await place.store.write(lambda unit: runs.request_run(unit, RunKind.FULL_RUN, Trigger.SCHEDULE))
    lease = await claimed(place, ask.run.id)
    error = "The disk is full."
    await place.store.write(lambda unit: runs.finish(unit, lease, RunState.FAILED, error=error))
    await place.watch.poll(later())
    (told,) = await sent(place)
    assert told.payload["text"] == f"<b>Full run {ask.run.id}</b>\nIt failed: The disk is full."


async def test_an_erased_admin_is_followed_no_more(place: Place) -> None:
    lease = await claimed(place, await asked(place))
    await sent(place)
    await place.store.write(lambda unit: erasure.erase(unit, ADA))
    await hold(place, lease)
    await place.watch.poll(later())
    assert await sent(place) == []


def test_a_follower_is_told_apart_by_bot_and_chat(database: Database) -> None:
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
