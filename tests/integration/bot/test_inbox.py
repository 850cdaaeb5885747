"""The inbox stores updates first, handles them in order, and retries them after a failure."""

import asyncio
import copy
import json
import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DataError, OperationalError
from telegram import Bot, Update
from telegram.ext import ApplicationBuilder

from bot.access import Access
from bot.buttons import TapKind
from bot.database import AsyncDatabase
from bot.incoming import IncomingText
from bot.receiving import in_progress, inbox
from bot.receiving.failed_updates import FailedUpdates
from bot.receiving.flood_limits import FloodLimits
from bot.receiving.inbox import Handle, Inbox
from bot.receiving.message_parts import MIN_SPLIT_LENGTH, JoinedText
from bot.receiving.raw_update import RawUpdate
from bot.reviews.answers import ReviewResponder
from bot.reviews.handlers import ReviewHandlers
from bot.reviews.verdict_messages import VerdictMessages
from bot.reviews.votes import VoteRecorder
from bot.sending.outbox import Outbox
from bot.sending.troubles import Troubles
from core.settings import Settings
from storage.chat import blocks
from storage.chat import inbox as stored_inbox
from storage.chat import outbox as stored_outbox
from storage.chat.people import upsert_person
from storage.chat.troubles import TroubleKind, forget_report
from storage.db.database import Database, UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import ReplyRow, UpdateRow
from storage.privacy.erasure import erase

BOT_ID = 900
ADMIN, ADMIN_WHO_NEVER_WROTE = 40, 41


class KnownBot(Bot):
    """A bot that doesn't need to ask Telegram for its id."""

    @property
    def id(self) -> int:
        return BOT_ID

    @property
    def username(self) -> str:
        return "thumbs_bot"

    async def initialize(self) -> None:
        """Do nothing, so that no request is made."""

    async def answer_callback_query(self, callback_query_id: str, *_: Any, **__: Any) -> bool:
        return bool(callback_query_id)


BOT = KnownBot("900:wire")


@pytest.fixture
def store(migrated_sqlite: Path, tmp_path: Path, keys: tuple[str, ...]) -> Iterator[AsyncDatabase]:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    opened = AsyncDatabase(Database.open(f"sqlite:///{tmp_path / 'thumbs.db'}", keys))
    yield opened
    opened.close()


@pytest.fixture
def each_store(database: Database) -> Iterator[AsyncDatabase]:
    """An empty database on each engine."""
    opened = AsyncDatabase(database)
    yield opened
    opened.close()


def message(person: int = 7, text: Any = "A fine play.", **fields: Any) -> dict[str, Any]:
    return {
        "message_id": 1,
        "date": 1_000,
        "chat": {"id": person, "type": "private"},
        "from": {"id": person, "is_bot": False, "first_name": "Ann"},
        "text": text,
        **fields,
    }


def update(number: int, chat: int = 7, text: str = "A fine play.") -> str:
    return json.dumps({"update_id": number, "message": message(chat, text)})


def make_failures(store: AsyncDatabase) -> FailedUpdates:
    outbox = Outbox(BOT, store)
    return FailedUpdates(BOT, store, outbox, Troubles(BOT, store, outbox, [ADMIN, ADMIN_WHO_NEVER_WROTE]))


async def admit_all(_: RawUpdate) -> bool:
    return True


def make_inbox(store: AsyncDatabase, handle: Handle) -> Inbox:
    return Inbox(BOT, store, handle, make_failures(store), admit_all)


class Handler:
    """A handler that fails on the first ``failures`` updates, handles later ones, and lets a test wait for updates."""

    def __init__(self, store: AsyncDatabase, failures: int = 0) -> None:
        self.store, self.failures = store, failures
        self.seen: list[int] = []
        self.finished: asyncio.Queue[int] = asyncio.Queue()

    async def __call__(self, item: Update | JoinedText) -> None:
        pieces = item.pieces if isinstance(item, JoinedText) else (item,)
        numbers = [piece.update_id for piece in pieces]
        self.seen += numbers
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the test asked for a failure")

        def finish(unit: UnitOfWork) -> None:
            for number in numbers:
                stored_inbox.finish(unit, BOT_ID, number)

        await self.store.write(finish)
        for number in numbers:
            self.finished.put_nowait(number)

    async def next(self) -> int:
        return await asyncio.wait_for(self.finished.get(), 20)


async def states(store: AsyncDatabase) -> dict[int, UpdateState]:
    def work(unit: UnitOfWork) -> dict[int, UpdateState]:
        return {row.update_id: row.state for row in unit.scalars(select(UpdateRow))}

    return await store.read(work)


async def wait_until_set_aside(store: AsyncDatabase, number: int) -> None:
    async with asyncio.timeout(20):
        while (await states(store))[number] is not UpdateState.FAILED:
            pass


async def test_an_update_is_stored_before_it_is_handled_and_a_duplicate_is_dropped(store: AsyncDatabase) -> None:
    handler = Handler(store)
    box = make_inbox(store, handler)
    await box.receive(update(1))
    assert 1 in await states(store)
    await box.receive(update(1))
    await box.receive(update(2))
    assert [await handler.next(), await handler.next()] == [1, 2]
    assert handler.seen == [1, 2]
    await box.stop()


async def test_a_failed_update_is_retried_and_does_not_block_its_chat(
    store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.01)
    handler = Handler(store, failures=1)
    box = make_inbox(store, handler)
    await box.receive(update(1))
    await box.receive(update(2))
    assert await handler.next() == 2
    box.start()
    assert await handler.next() == 1
    await box.stop()
    assert await states(store) == {1: UpdateState.HANDLED, 2: UpdateState.HANDLED}


async def test_updates_left_by_an_earlier_process_are_handled(store: AsyncDatabase) -> None:
    first = make_inbox(store, Handler(store, failures=1))
    await first.receive(update(1))
    await first.stop()
    handler = Handler(store)
    second = make_inbox(store, handler)
    second.start()
    assert await handler.next() == 1
    await second.stop()


async def test_an_unreadable_update_is_set_aside_and_the_others_are_handled(
    store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.01)
    await store.write(lambda unit: stored_inbox.receive(unit, BOT_ID, 1, 7, "not JSON"))
    await store.write(lambda unit: stored_inbox.receive(unit, BOT_ID, 2, 7, update(2)))
    handler = Handler(store)
    box = make_inbox(store, handler)
    box.start()
    assert await handler.next() == 2
    await wait_until_set_aside(store, 1)
    await box.stop()


async def test_chats_do_not_wait_for_each_other(store: AsyncDatabase) -> None:
    slow = asyncio.Event()
    done: asyncio.Queue[int] = asyncio.Queue()

    async def handle(item: Update | JoinedText) -> None:
        assert isinstance(item, Update)
        if item.update_id == 1:
            await slow.wait()
        done.put_nowait(item.update_id)

    box = make_inbox(store, handle)
    await box.receive(update(1, chat=7))
    await box.receive(update(2, chat=8))
    assert await asyncio.wait_for(done.get(), 20) == 2
    slow.set()
    assert await asyncio.wait_for(done.get(), 20) == 1
    await box.stop()


POLL_WITHOUT_A_FIELD = {"id": "1", "question": "?", "options": [{"text": "a"}], "type": "regular"}
INACCESSIBLE = {"message_id": 3, "date": 0, "chat": {"id": 7, "type": "private"}}
TAP = {
    "id": "x",
    "from": {"id": 7, "is_bot": False, "first_name": "Ann"},
    "chat_instance": "y",
    "data": f"{TapKind.VOTE}:1:right",
}


class Responder:
    """Sends no replies, but finishes updates like the real responder."""

    def __init__(self, store: AsyncDatabase) -> None:
        self.store = store

    async def answer(self, text: IncomingText) -> None:
        await self.store.write(text.incoming.finish)


@pytest.fixture
async def box(each_store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Inbox]:
    """A started inbox whose updates go through PTB's application to the real handlers."""
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.01)
    failures = make_failures(each_store)
    application = ApplicationBuilder().bot(BOT).updater(None).build()
    responder = cast("ReviewResponder", Responder(each_store))
    application.add_handlers(
        ReviewHandlers(
            Access([]), each_store, responder, VoteRecorder(each_store, VerdictMessages(Settings(_env_file=None)))
        ).handlers()
    )
    application.add_error_handler(failures.on_error)
    await application.initialize()
    started = Inbox(BOT, each_store, application.process_update, failures, admit_all)
    started.start()
    yield started
    await started.stop()


async def wait_for_states(store: AsyncDatabase, expected: dict[int, UpdateState]) -> None:
    async with asyncio.timeout(20):
        while await states(store) != expected:
            pass


@pytest.mark.parametrize(
    "event",
    [
        {"message": message(poll=POLL_WITHOUT_A_FIELD)},
        {"message": {"message_id": 5, "date": 1_000, "from": {"id": 7}, "text": "No chat."}},
        {"message": {"message_id": 5, "date": 1_000, "chat": {"id": 7, "type": "private"}, "text": "No sender."}},
        {"message": message(text="a" * MIN_SPLIT_LENGTH, chat=None)},
        {"message": message(text=5)},
        {"message": message(message_id=2**80)},
        {"message": message(date="x")},
        {"message": message(chat={"id": 2**80, "type": "private"})},
        {"message": message(**{"from": {"id": 2**80, "is_bot": False, "first_name": "Ann"}})},
        {"message": message(**{"from": {"id": True, "is_bot": False, "first_name": "Ann"}})},
        {"message": "x"},
        {"callback_query": TAP},
    ],
    ids=[
        "poll", "no chat", "no sender", "long without chat", "text", "message id", "date", "chat id", "large sender",
        "true sender", "no object", "tap without message",
    ],
)  # fmt: skip
async def test_a_bad_update_affects_no_other_and_is_set_aside(
    each_store: AsyncDatabase, box: Inbox, event: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await box.receive(update(1))
    await box.receive(json.dumps({"update_id": 2, **event}))
    await box.receive(update(3))
    await wait_for_states(each_store, {1: UpdateState.HANDLED, 2: UpdateState.FAILED, 3: UpdateState.HANDLED})
    assert sum(record.levelno >= logging.ERROR for record in caplog.records) == stored_inbox.MAX_ATTEMPTS


async def test_the_sender_of_an_update_that_cannot_be_parsed_gets_an_apology(
    each_store: AsyncDatabase, box: Inbox
) -> None:
    await box.receive(json.dumps({"update_id": 1, "message": message(poll=POLL_WITHOUT_A_FIELD)}))
    await wait_for_states(each_store, {1: UpdateState.FAILED})
    reply = await each_store.write(lambda unit: stored_outbox.claim_next(unit, BOT_ID, 7))
    assert reply is not None
    assert "something went wrong on my side" in reply.payload["text"]


WORDS = ("", "x", "\ud800", "\x00", "/start", "A" * 5000)
NUMBERS = (0, -1, 2**63 - 1, 2**63, 2**80, 1.5, 1e308)
ODD_VALUES: tuple[Any, ...] = (None, True, [], [1], {}, {"id": 1}, *WORDS, *NUMBERS)


def events(number: int) -> list[dict[str, Any]]:
    """Return one event of each kind that the bot handles, caused by one of ten people."""
    review = message(10 + number % 10, message_id=number)
    sender = review["from"]
    command = {"text": "/help", "entities": [{"type": "bot_command", "offset": 0, "length": 5}]}
    origin = {"type": "user", "date": 1_000, "sender_user": sender}
    tap = {**TAP, "from": sender, "message": review}
    return [
        {"message": review},
        {"edited_message": {**review, "edit_date": 1_001}},
        {"message": {**review, **command}},
        {"message": {**review, "text": "A" * MIN_SPLIT_LENGTH, "forward_origin": origin}},
        {"message": {**review, "reply_to_message": message(10, message_id=number - 1)}},
        {"callback_query": tap},
    ]


def paths_in(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value below ``node``."""
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield (*path, key)
            yield from paths_in(value, (*path, key))


def mutate(update: dict[str, Any], random: Random) -> dict[str, Any]:
    """Return a copy with one value removed or replaced by an unusual one."""
    mutated = copy.deepcopy(update)
    *above, key = random.choice(list(paths_in(mutated)))
    owner: Any = mutated
    for step in above:
        owner = owner[step]
    if random.random() < 0.3:
        del owner[key]
    else:
        owner[key] = copy.deepcopy(random.choice(ODD_VALUES))
    return mutated


async def test_mutated_updates_never_stop_the_others(each_store: AsyncDatabase, box: Inbox) -> None:
    random = Random(1)
    for number in range(1, 101):
        await box.receive(json.dumps({"update_id": number, **mutate(random.choice(events(number)), random)}))
    reviews = range(201, 211)
    for number in reviews:
        await box.receive(update(number, chat=10 + number % 10))
    async with asyncio.timeout(30):
        while UpdateState.RECEIVED in (found := await states(each_store)).values():
            pass
    assert {found[number] for number in reviews} == {UpdateState.HANDLED}


async def test_a_message_that_is_pinned_and_then_deleted_is_handled(each_store: AsyncDatabase, box: Inbox) -> None:
    pin = {name: value for name, value in message(pinned_message=INACCESSIBLE).items() if name != "text"}
    await box.receive(json.dumps({"update_id": 1, "message": pin}))
    await box.receive(update(2))
    await wait_for_states(each_store, {1: UpdateState.HANDLED, 2: UpdateState.HANDLED})


@pytest.mark.parametrize(
    "payload",
    [
        "not JSON",
        "[]",
        "{}",
        '{"update_id": "1"}',
        '{"update_id": true}',
        '{"update_id": 1.0}',
        '{"update_id": 9223372036854775808}',
        '{"update_id": ' + "9" * 5000 + "}",
        '{"update_id": 1, "message": {"date": NaN}}',
        '{"update_id": 1, "message": ' + "[" * 100_000,
        '{"update_id": 1, "message": "\ud800"}',
    ],
    ids=["text", "list", "empty", "word", "true", "float", "65 bits", "digits", "nan", "deep", "surrogate"],
)
async def test_what_cannot_be_stored_costs_one_line_of_log(
    each_store: AsyncDatabase, box: Inbox, payload: str, caplog: pytest.LogCaptureFixture
) -> None:
    await box.receive(payload)
    await box.receive(update(3))
    await wait_for_states(each_store, {3: UpdateState.HANDLED})
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.message.startswith("Dropped an update that cannot be stored: it")
    assert record.exc_info is None


@pytest.mark.parametrize(
    "event",
    [
        {"message": message()},
        {"edited_message": message()},
        {"callback_query": TAP},
        {"inline_query": {"id": "1", "from": {"id": 7}}},
        {"poll_answer": {"poll_id": "1", "user": {"id": 7}}},
        {"message": {"message_id": 5, "chat": {"id": 7, "type": "private"}}},
    ],
    ids=["message", "edit", "tap", "inline query", "poll answer", "private chat"],
)
async def test_erasing_a_person_clears_their_updates_of_every_kind(
    each_store: AsyncDatabase, event: dict[str, Any]
) -> None:
    stopped = make_inbox(each_store, Handler(each_store, failures=1))
    await stopped.receive(json.dumps({"update_id": 1, **event}))
    erased = await each_store.write(lambda unit: erase(unit, 7))
    await stopped.stop()
    assert erased.updates == 1


async def notices(store: AsyncDatabase) -> list[tuple[int, str]]:
    """Return the chats and texts of replies to people other than the updates' sender."""

    def work(unit: UnitOfWork) -> list[tuple[int, str]]:
        rows = unit.scalars(select(ReplyRow).where(ReplyRow.chat_id != 7).order_by(ReplyRow.id))
        return [(row.chat_id, json.loads(unit.cipher.decrypt(row.payload))["text"]) for row in rows]

    return await store.read(work)


async def fail_for_good(store: AsyncDatabase, *numbers: int) -> None:
    failures = make_failures(store)
    for number in numbers:
        await store.write(lambda unit, each=number: stored_inbox.receive(unit, BOT_ID, each, 7, update(each)))  # type: ignore[misc]
        for _ in range(stored_inbox.MAX_ATTEMPTS):
            await failures.record([number], ValueError("the test asked for a failure"))


async def test_admins_are_notified_once_until_somebody_deals_with_it(each_store: AsyncDatabase) -> None:
    await fail_for_good(each_store, 1)
    assert await notices(each_store) == []  # Telegram lets a bot write only to people who have written to it
    await each_store.write(lambda unit: upsert_person(unit, ADMIN, "Ada", "en"))
    await fail_for_good(each_store, 2, 3)
    ((chat, text),) = await notices(each_store)
    assert chat == ADMIN
    assert "update 2" in text
    await each_store.write(lambda unit: forget_report(unit, BOT_ID, TroubleKind.UPDATE_FAILED))
    await fail_for_good(each_store, 4)
    assert len(await notices(each_store)) == 2


async def test_admins_are_notified_once_of_what_cannot_be_stored(each_store: AsyncDatabase, box: Inbox) -> None:
    await each_store.write(lambda unit: upsert_person(unit, ADMIN, "Ada", "en"))
    await box.receive("[]")
    await box.receive("{}")
    async with asyncio.timeout(20):
        while not await notices(each_store):
            pass
    await box.stop()
    assert len(await notices(each_store)) == 1


async def test_an_outage_of_the_database_is_not_counted_as_an_attempt(each_store: AsyncDatabase) -> None:
    await each_store.write(lambda unit: stored_inbox.receive(unit, BOT_ID, 1, 7, update(1)))
    failures = make_failures(each_store)
    for _ in range(stored_inbox.MAX_ATTEMPTS):
        await failures.record(
            [1], OperationalError("UPDATE updates", {}, Exception("the server closed the connection"))
        )
    (stored,) = await each_store.read(lambda unit: stored_inbox.pending_updates(unit, BOT_ID))
    assert stored.attempts == 0


class FailingOnce:
    """A database whose first write raises an error."""

    def __init__(self, database: Database, error: Exception) -> None:
        self.database, self.errors = database, [error]

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        if self.errors:
            raise self.errors.pop()
        with self.database.unit_of_work() as unit:
            yield unit


async def test_an_update_that_arrives_during_an_outage_is_stored_after_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inbox, "_STORE_RETRY_SECONDS", 0.01)
    refused = OperationalError("INSERT", {}, Exception("connection refused\nIs the server running?"))
    store = AsyncDatabase(cast("Database", FailingOnce(database, refused)))
    handler = Handler(store)
    box = make_inbox(store, handler)
    await box.receive(update(1))
    assert await handler.next() == 1
    await box.stop()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "The database cannot be used; will retry: connection refused",
        "The database can be used again, after 0 seconds",
    ]
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_update_that_arrives_while_the_disk_is_full_is_stored_later(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inbox, "_STORE_RETRY_SECONDS", 0.01)
    store = AsyncDatabase(database)
    pages = await store.write(lambda unit: unit.connection().exec_driver_sql("PRAGMA page_count").scalar())
    await store.write(lambda unit: unit.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}"))
    handler = Handler(store)
    box = make_inbox(store, handler)
    received = asyncio.create_task(box.receive(update(1, text="A fine film. " * 5000)))
    async with asyncio.timeout(20):
        while not caplog.records:
            await asyncio.sleep(0)
    assert not received.done()
    await store.write(lambda unit: unit.connection().exec_driver_sql("PRAGMA max_page_count = 1000000"))
    await received
    assert await handler.next() == 1
    await box.stop()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "The database cannot be used; will retry: database or disk is full",
        "The database can be used again, after 0 seconds",
    ]


async def test_what_the_database_refuses_is_dropped(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    refused = DataError("INSERT", {}, Exception(f"out of range: {update(1)}"))
    store = AsyncDatabase(cast("Database", FailingOnce(database, refused)))
    handler = Handler(store)
    box = make_inbox(store, handler)
    await box.receive(update(1))
    await box.receive(update(2))
    assert await handler.next() == 2
    await box.stop()
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.message == "Dropped an update that cannot be stored: the database refuses it"


async def test_an_update_that_keeps_failing_is_retried_less_and_less_often(
    store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.01)
    attempts: asyncio.Queue[float] = asyncio.Queue()

    async def handle(_: object) -> None:
        attempts.put_nowait(asyncio.get_running_loop().time())
        raise OperationalError("UPDATE", {}, Exception("an outage, which is not counted"))

    box = make_inbox(store, handle)
    box.start()
    await box.receive(update(1))
    times = [await asyncio.wait_for(attempts.get(), 20) for _ in range(6)]
    await box.stop()
    # After the first attempt, the sweep retries soon, and then after a pause that doubles. An attempt begins shortly
    # after its sweep, so the measured pauses may be a little shorter than 0.02 and 0.08 s.
    assert times[3] - times[2] >= 0.01
    assert times[5] - times[4] >= 0.04


async def test_a_flood_is_dropped_before_it_is_stored_and_answered_once(store: AsyncDatabase) -> None:
    handler = Handler(store)
    limits = FloodLimits(BOT, store, Outbox(BOT, store), Settings(_env_file=None), clock=lambda: 0.0)
    inbox = Inbox(BOT, store, handler, make_failures(store), limits.admits)
    for number in range(1, 501):
        await inbox.receive(update(number))
    await inbox.receive(update(501, chat=8))
    handled = {await handler.next() for _ in range(61)}
    assert handled == {*range(1, 61), 501}
    replies = await store.read(lambda unit: [row.chat_id for row in unit.scalars(select(ReplyRow))])
    assert replies == [7]
    assert await store.read(lambda unit: len(unit.scalars(select(UpdateRow.update_id)).all())) == 61
    await inbox.stop()


def command(number: int, text: str, **fields: Any) -> str:
    """Return a command as Telegram sends it."""
    entity = {"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}
    return json.dumps({"update_id": number, "message": message(text=text, entities=[entity], **fields)})


def tap(number: int, data: str) -> str:
    sender = {"id": 7, "is_bot": False, "first_name": "Ann"}
    query = {"id": str(number), "from": sender, "chat_instance": "1", "message": message(), "data": data}
    return json.dumps({"update_id": number, "callback_query": query})


async def test_a_blocked_person_may_only_ask_about_their_data_and_delete_it(store: AsyncDatabase) -> None:
    await store.write(lambda unit: blocks.block(unit, 7))
    handler = Handler(store)
    inbox = make_inbox(store, handler)
    group = {"id": -5, "type": "group", "title": "Films"}
    dropped = [
        update(1),
        update(2, text="/deleteme"),  # without an entity, the bot does not see a command
        command(3, "/start"),
        command(4, "/deletemeplease"),
        command(5, "/deleteme", chat=group),
        tap(6, "vote:1:right"),
        json.dumps({"update_id": 7, "edited_message": json.loads(command(7, "/privacy"))["message"]}),
        json.dumps({"update_id": 8, "message": message(text="/privacy", entities=[{"type": "bot_command"}, 1])}),
    ]
    accepted = [command(9, "/privacy"), command(10, "/DeleteMe now"), tap(11, "delete:yes"), tap(12, "delete:no")]
    for payload in [*dropped, *accepted]:
        await inbox.receive(payload)
    assert sorted([await handler.next() for _ in accepted]) == [9, 10, 11, 12]
    stored = await store.read(lambda unit: list(unit.scalars(select(UpdateRow.update_id))))
    assert sorted(stored) == [9, 10, 11, 12]
    await inbox.stop()


async def test_a_blocked_person_s_requests_are_limited_too(store: AsyncDatabase) -> None:
    await store.write(lambda unit: blocks.block(unit, 7))
    settings = Settings(_env_file=None, messages_per_minute=3)
    limits = FloodLimits(BOT, store, Outbox(BOT, store), settings, clock=lambda: 0.0)
    inbox = Inbox(BOT, store, Handler(store), make_failures(store), limits.admits)
    for number in range(10):
        await inbox.receive(command(number, "/deleteme"))
    assert await store.read(lambda unit: len(unit.scalars(select(UpdateRow.update_id)).all())) == 3
    await inbox.stop()


async def test_taps_have_a_limit_of_their_own(store: AsyncDatabase) -> None:
    limits = FloodLimits(BOT, store, Outbox(BOT, store), Settings(_env_file=None, taps_per_minute=2), clock=lambda: 0.0)
    tap = RawUpdate(1, 7, 7, "tap", "{}")
    assert [await limits.admits(tap) for _ in range(3)] == [True, True, False]
    assert await limits.admits(RawUpdate(2, 7, 7, None, "{}"))


async def test_no_more_updates_are_taken_on_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_progress, "MAX_IN_PROGRESS", 2)
    updates = in_progress.InProgress()
    updates.add(1)
    updates.add(2)
    waiting = asyncio.create_task(updates.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    updates.remove([1])
    await asyncio.wait_for(waiting, 10)
