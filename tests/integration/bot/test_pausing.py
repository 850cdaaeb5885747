"""Pauses in learning: no run starts, and everything that shows the bot's state mentions the pause."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.admin.live_notices import LiveNotices
from bot.admin.pausing import PauseDialog, pause_line
from bot.admin.training_runs import RetrainDialog
from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender
from bot.sending.troubles import Troubles
from bot.texts import texts_for
from core.settings import Settings
from storage.chat import outbox, people
from storage.db.database import Database, UnitOfWork
from storage.db.states import RunKind, RunState, Trigger
from storage.models import instances, registry
from storage.privacy import erasure
from storage.training import learning_pauses, runs
from worker.runs.scheduling import start_due_run

BOT, ADA = 900, 11
TEXTS = texts_for("en")
SETTINGS = Settings(_env_file=None, admin_ids=(ADA,))


@pytest.fixture
def store(database: Database) -> Iterator[AsyncDatabase]:
    opened = AsyncDatabase(database)
    yield opened
    opened._thread.shutdown()


def incoming() -> Incoming:
    return Incoming(BOT, (), ADA, Sender(ADA, "Ada", "en"))


async def replies(store: AsyncDatabase) -> list[str]:
    def claim(unit: UnitOfWork) -> list[str]:
        found = []
        while reply := outbox.claim_next(unit, BOT, ADA):
            outbox.mark_sent(unit, reply.id, 100 + reply.id)
            found.append(str(reply.payload["text"]))
        return found

    return await store.write(claim)


async def test_no_run_starts_while_learning_is_paused(store: AsyncDatabase, database: Database) -> None:
    pausing = PauseDialog(store)
    await pausing.resume(incoming())
    assert await replies(store) == [TEXTS.not_paused]
    await pausing.pause(incoming())
    assert await replies(store) == [TEXTS.pause_done]
    await pausing.pause(incoming())
    assert f"paused by <code>{ADA}</code>" in (await replies(store))[0]
    await RetrainDialog(store, SETTINGS).start(incoming(), RunKind.FULL_RUN)
    assert await replies(store) == [TEXTS.retrain_paused]
    assert await store.read(runs.open_run) is None
    assert start_due_run(database, SETTINGS, datetime.now(UTC) + timedelta(days=99)) is None
    await pausing.resume(incoming())
    await RetrainDialog(store, SETTINGS).start(incoming(), RunKind.FULL_RUN)
    assert await store.read(runs.open_run) is not None


async def test_a_queued_run_waits_and_a_running_one_goes_on(store: AsyncDatabase) -> None:
    pausing = PauseDialog(store)
    request = await store.write(lambda unit: runs.request_run(unit, RunKind.FULL_RUN, Trigger.ADMIN))
    await pausing.pause(incoming())
    assert await replies(store) == [f"{TEXTS.pause_done} {TEXTS.pause_run_queued}"]
    assert await store.read(runs.unclaimed_runs) == []
    assert await store.write(lambda unit: runs.claim(unit, request.run.id, "a worker")) is None
    await pausing.resume(incoming())
    assert await store.read(runs.unclaimed_runs) == [request.run.id]
    lease = await store.write(lambda unit: runs.claim(unit, request.run.id, "a worker"))
    assert lease is not None
    await replies(store)
    await pausing.pause(incoming())
    assert TEXTS.pause_run_goes_on in (await replies(store))[0]
    assert not await store.write(lambda unit: runs.renew(unit, lease))


async def test_pauses_are_recorded_and_forget_a_deleted_admin(store: AsyncDatabase) -> None:
    pausing = PauseDialog(store)
    await pausing.pause(incoming())
    await pausing.resume(incoming())
    await pausing.pause(incoming())
    found = await store.read(lambda unit: learning_pauses.newest_pauses(unit, 9))
    assert [(one.paused, one.who) for one in found] == [(True, ADA), (False, ADA), (True, ADA)]

    def erase(unit: UnitOfWork) -> str | None:
        erasure.erase(unit, ADA)
        assert {one.who for one in learning_pauses.newest_pauses(unit, 9)} == {None}
        return pause_line(unit, TEXTS)

    assert "<code>" not in (await store.write(erase) or "")


async def test_run_numbers_have_no_gaps_even_if_ids_do(store: AsyncDatabase) -> None:
    def request(unit: UnitOfWork) -> list[tuple[int, bool]]:
        found = []
        for _ in range(3):
            for _ in range(4):
                wanted = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN)
                found.append((wanted.run.number, wanted.new))
            assert runs.cancel(unit, wanted.run.id)
        return [number for number in found if number[1]]

    assert await store.write(request) == [(1, True), (2, True), (3, True)]
    assert [run.number for run in await store.read(lambda unit: runs.newest_runs(unit, 2))] == [3, 2]
    newest = await store.read(lambda unit: runs.newest_in(unit, RunState.CANCELLED))
    assert newest is not None
    assert newest.number == 3


@pytest.mark.parametrize("kind", RunKind)
async def test_a_run_of_the_other_kind_does_not_start_and_the_bot_says_so(store: AsyncDatabase, kind: RunKind) -> None:
    (other,) = set(RunKind) - {kind}
    await store.write(lambda unit: runs.request_run(unit, other, Trigger.ADMIN))
    await RetrainDialog(store, SETTINGS).start(incoming(), kind)
    said, run = await replies(store)
    assert said == (TEXTS.run_joined_full if kind is RunKind.FEEDBACK_ROUND else TEXTS.run_joined_round)
    assert "1</b>" in run


class FakeBot:
    id = BOT


class FakeOutbox:
    def wake(self, _: int) -> None:
        """Do nothing, because there is nothing to send."""


async def test_admins_hear_that_a_bot_answers_with_the_model_that_they_promoted(store: AsyncDatabase) -> None:
    troubles = Troubles(FakeBot(), store, FakeOutbox(), [ADA])  # type: ignore[arg-type]  # only these are used
    notices = LiveNotices(store, troubles)

    def promote(unit: UnitOfWork) -> None:
        people.upsert_person(unit, ADA, "Ada", "en")
        registry.register(unit, "one", "0" * 64, "models/one")
        registry.make_live(unit, "one", "the first")
        registry.register(unit, "two", "1" * 64, "models/two")
        registry.promote(unit, "two", "an admin chose it", ADA, "one")
        instances.acknowledge(unit, "host:1", BOT, "one")

    await store.write(promote)
    await notices.poll()
    assert await replies(store) == [], "no bot has loaded it"
    await store.write(lambda unit: instances.acknowledge(unit, "host:1", BOT, "two"))
    await notices.poll()
    await notices.poll()
    assert await replies(store) == [TEXTS.model_answers.format(version="two", serving=1, running=1)]
