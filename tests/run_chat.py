"""The parts of a bot that handle training runs, without Telegram, and functions that play a worker."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from bot.admin.run_updates import RunUpdates
from bot.admin.training_runs import RetrainDialog
from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender
from core.settings import Settings
from storage.chat import outbox
from storage.chat.outbox import Reply
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState, RunKind, RunState
from storage.models import registry
from storage.training import runs
from storage.training.runs import Lease, RunProgress

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


async def finish_held(bot: BotParts, lease: Lease, card: bytes | None = b"png", **decision: Any) -> None:
    """End a run with a held candidate. ``decision`` contains further fields of the gate's decision."""

    def end(unit: UnitOfWork) -> None:
        registry.register(unit, "candidate", "1" * 64, "candidate", lease.run.id)
        facts = {"sentence": SENTENCE, **decision}
        runs.finish(unit, lease, RunState.HELD, candidate="candidate", decision=facts, card=card)

    await bot.store.write(end)


async def show_held(bot: BotParts, card: bytes | None = b"png", **decision: Any) -> tuple[Lease, Reply]:
    """Execute a run that ends with a held candidate. Return its lease, and the card that Ada got."""
    lease = await claim_run(bot, await start_run(bot))
    await sent(bot)
    await finish_held(bot, lease, card, **decision)
    await bot.updates.poll(later())
    _, shown = await sent(bot)
    return lease, shown
