"""Forged commands and taps change nothing, raise no errors, and get only answers that Telegram would accept."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from bot_api import bot_api_errors
from inbox_parts import BOT, BOT_ID, KnownBot, make_inbox, states
from mutated_taps import admin_taps, every_tap, kinds_of, mutations
from spoofed_updates import ADMIN, Event, card, message, person, private, spoofed_commands, spoofed_taps, tap
from sqlalchemy import select, update
from telegram import CallbackQuery, Message, Update, User
from telegram.ext import ApplicationBuilder, CommandHandler, MessageHandler

from bot.access import Access, Handler
from bot.all_handlers import ADMIN_COMMANDS, all_handlers
from bot.buttons import TapKind
from bot.database import AsyncDatabase
from bot.receiving.inbox import Inbox
from bot.receiving.message_parts import Post
from bot.receiving.update_parsing import updates_in
from bot.sending.arrivals import Arrivals
from core.settings import Settings
from playground.text.entities import utf16_length
from playground.text.html import parse_html
from storage.chat import outbox
from storage.chat.outbox import Draft, Reply
from storage.chat.people import upsert_person
from storage.db.column_types import EncryptedString
from storage.db.database import UnitOfWork
from storage.db.states import Consent, ReplyState, RunKind, RunState, Trigger, UpdateState, Vote
from storage.db.tables import Base, RunRow
from storage.feedback.label_offers import offer_gold
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.privacy.consent import record_consent
from storage.training import runs

StoreReview = Callable[..., Any]
VICTIM, OTHER, MALLORY = 7, 8, 9
SETTINGS = Settings(_env_file=None, admin_ids=(ADMIN,))
ARGUMENTS = {"block": " 7", "unblock": " 7", "voters": " 7", "retrain": " full"}
COMMANDS = [f"/{name}{ARGUMENTS.get(name, '')}" for name in ADMIN_COMMANDS]
MUTATIONS = 100_000
SECONDS = 60


def seed(unit: UnitOfWork, store_review: StoreReview) -> None:
    """Store texts, votes, models, runs and an offer that forged updates could change."""
    first, second = (store_review(unit, f"A play by {one}", telegram_id=one) for one in (VICTIM, OTHER))
    for review, vote in ((first, Vote.RIGHT), (second, Vote.WRONG)):
        record_consent(unit, review.person_id, Consent.GRANTED, "1")
        record_vote(unit, review.person_id, first.prediction_id, vote)
    offer_gold(unit, second.person_id, "I adored it.", "Positive")
    upsert_person(unit, MALLORY, "Ada", "en")
    held = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN).run.id
    for version, run_id in (("v-1", None), ("v-2", held)):
        registry.register(unit, version, "0" * 64, f"models/{version}", run_id=run_id)
    registry.make_live(unit, "v-1", "it is the first", who=ADMIN)
    ended = {"state": RunState.HELD, "open": False, "champion": "v-1", "candidate": "v-2"}
    unit.change(update(RunRow).where(RunRow.id == held).values(ended))
    runs.request_run(unit, RunKind.FULL_RUN, Trigger.ADMIN, ADMIN)
    # A reply in the admin's chat that may not have arrived.
    unsure = outbox.enqueue(unit, Draft(BOT_ID, ADMIN, {"text": "Run 1"}))
    outbox.mark_uncertain(unit, unsure, "the connection broke")


def digest_of(unit: UnitOfWork) -> str:
    """Return a hash of all decrypted rows, except the hash key, received updates and pending replies."""
    lines = []
    for table in Base.metadata.sorted_tables:
        if table.name in ("updates", "secrets"):
            continue
        rows = select(table).order_by(*table.primary_key)
        if table.name == "replies":
            rows = rows.where(table.c.state != ReplyState.PENDING)
        hidden = [isinstance(column.type, EncryptedString) for column in table.columns]
        for row in unit.execute(rows):
            cells = [
                unit.cipher.decrypt(cell) if secret and cell else cell for cell, secret in zip(row, hidden, strict=True)
            ]
            lines.append(f"{table.name} {cells}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class Attack:
    """Passes updates to all of the bot's handlers, and collects the errors and the pending replies."""

    def __init__(self, store: AsyncDatabase, inbox: Inbox, handled: "asyncio.Queue[int]", errors: list[object]) -> None:
        self.store, self.errors = store, errors
        self._inbox, self._handled, self._numbers = inbox, handled, count(1)

    async def send(self, events: Iterable[Event]) -> dict[int, Event]:
        """Send each event twice along the whole path, and return all events by update id once they are handled."""
        sent = {next(self._numbers): event for event in events}
        for number, event in sent.items():
            if (query := event.get("callback_query")) is not None:
                query["id"] = str(number)
            for _ in range(2):
                await self._inbox.receive(json.dumps({"update_id": number, **event}))
        async with asyncio.timeout(SECONDS):
            for _ in sent:
                await self._handled.get()
        assert set((await states(self.store)).values()) == {UpdateState.HANDLED}
        return sent

    async def digest(self) -> str:
        return await self.store.read(digest_of)

    async def replies(self, chats: Iterable[int]) -> list[Reply]:
        """Return the pending replies in these chats, after checking that no other chat has one."""

        def work(unit: UnitOfWork) -> list[Reply]:
            assert set(outbox.pending_chats(unit, BOT_ID)) <= set(chats)
            found = []
            for chat in chats:
                while (reply := outbox.claim_next(unit, BOT_ID, chat)) is not None:
                    found.append(reply)
            return found

        return await self.store.write(work)


@asynccontextmanager
async def attack_on(store: AsyncDatabase, folder: Path, store_review: StoreReview) -> AsyncIterator[Attack]:
    """Yield an attack on a bot with a filled database."""
    await store.write(lambda unit: seed(unit, store_review))
    errors: list[object] = []

    async def on_error(_: object, context: Any) -> None:
        errors.append(context.error)

    application = ApplicationBuilder().bot(BOT).updater(None).build()
    settings = SETTINGS.model_copy(update={"data_dir": folder})
    application.add_handlers(all_handlers(settings, store, cast("Any", None), Access(settings.admin_ids)))
    application.add_error_handler(on_error)
    await application.initialize()
    arrivals, handled = Arrivals(store), asyncio.Queue[int]()

    async def handle(item: Update | Post) -> None:
        for piece in updates_in(item):
            await arrivals.note(piece)
        await application.process_update(item)
        for piece in updates_in(item):
            handled.put_nowait(piece.update_id)

    inbox = make_inbox(store, handle)
    yield Attack(store, inbox, handled, errors)
    await inbox.stop()


@pytest.fixture
async def attack(each_store: AsyncDatabase, tmp_path: Path, store_review: StoreReview) -> AsyncIterator[Attack]:
    async with attack_on(each_store, tmp_path, store_review) as started:
        yield started


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often the bot answered each tap."""
    counts: Counter[str] = Counter()

    async def answer(_: KnownBot, tap_id: str, *__: Any, **___: Any) -> bool:
        counts[tap_id] += 1
        return True

    monkeypatch.setattr(KnownBot, "answer_callback_query", answer)
    return counts


def refusals(reply: Reply) -> list[str]:
    """Return the reasons for which Telegram would reject a reply, if any."""
    place = {} if reply.telegram_message_id is None else {"message_id": reply.telegram_message_id}
    method = "editMessageText" if place else "sendMessage"
    found = bot_api_errors(method, {"chat_id": reply.chat_id, **place, **reply.payload})
    length = utf16_length(parse_html(reply.payload["text"]).text)
    return found if 0 < length <= 4096 else [*found, f"{length} characters"]


def spoofed() -> list[Event]:
    taps = {data: None for number in (1, 2) for data in admin_taps(number, ("v-1", "v-2"), VICTIM)}
    return [*(event for text in COMMANDS for event in spoofed_commands(text)),
            *(event for data in taps for event in spoofed_taps(data))]  # fmt: skip


async def test_spoofed_admin_updates_change_nothing(attack: Attack, answered: Counter[str]) -> None:
    before = await attack.digest()
    sent = await attack.send(spoofed())
    assert len(sent) >= 200
    assert attack.errors == []
    assert await attack.digest() == before
    taps = {str(number) for number, event in sent.items() if "callback_query" in event}
    assert answered == dict.fromkeys(taps, 1)
    senders = {sender(event) for event in sent.values()}
    replies = await attack.replies(senders)
    assert {(reply.chat_id, reply.telegram_message_id) for reply in replies} == {
        (sender(sent[cast("int", reply.update_id)]), None) for reply in replies
    }
    assert [fault for reply in replies for fault in refusals(reply)] == []
    assert {reply.payload["text"].partition(".")[0] for reply in replies} == {"I don't know that command"}


@pytest.mark.parametrize(
    "event",
    [
        {"message": message(ADMIN, "/pause")},
        {"message": message(ADMIN, "/block 7")},
        tap(ADMIN, "run:2:yes", card(private(ADMIN))),
        tap(ADMIN, "models:yes:v-2:v-1", card(private(ADMIN))),
        tap(ADMIN, "settle:1:0:negative", card(private(ADMIN))),
    ],
    ids=lambda event: str(event.get("message", event.get("callback_query", {})).get("text", "tap")),
)
async def test_the_admins_own_updates_do(attack: Attack, event: Event) -> None:
    before = await attack.digest()
    await attack.send([event])
    assert await attack.digest() != before


def sender(event: Event) -> int:
    return int(next(iter(event.values()))["from"]["id"])


def test_every_button_is_mutated() -> None:
    assert kinds_of(every_tap()) == set(TapKind)
    assert max(len(data.encode()) for data in every_tap()) <= 64


@cache
def accepted() -> tuple[str, ...]:
    """Route mutated taps by a person without rights, under messages in several chats.

    Return the data of the taps in the person's own chat that a handler accepted. All other taps were ignored.
    """
    handlers: list[Handler] = [
        handler
        for handler in all_handlers(SETTINGS, cast("Any", None), cast("Any", None), Access([ADMIN]))
        if not isinstance(handler, CommandHandler | MessageHandler)
    ]
    elsewhere, otherwise = handlers[0], handlers[-1]
    chats = (MALLORY, MALLORY, MALLORY, VICTIM, ADMIN)
    shown = [cast("Message", Message.de_json(card(private(chat)), BOT)) for chat in chats]
    mallory = cast("User", User.de_json(person(MALLORY), BOT))
    found: dict[str, None] = {}
    for number, data in enumerate(mutations(MUTATIONS, seed=28)):
        under = number % len(shown)
        tapped = Update(number, callback_query=CallbackQuery("1", mallory, "1", message=shown[under], data=data))
        taken = next(handler for handler in handlers if handler.check_update(tapped) not in (None, False))
        if chats[under] != MALLORY or not data:
            assert taken is elsewhere, data
        elif taken is not otherwise:
            found[data] = None
    return tuple(found)


async def test_mutated_taps_change_nothing(attack: Attack, answered: Counter[str]) -> None:
    before, forged = await attack.digest(), accepted()
    assert kinds_of(forged) >= {TapKind.VOTE, TapKind.CORRECTED, TapKind.LABEL, TapKind.HISTORY, TapKind.EXPLANATION}
    sent = await attack.send(tap(MALLORY, data, card(private(MALLORY))) for data in forged)
    assert attack.errors == []
    assert await attack.digest() == before
    assert answered == dict.fromkeys(map(str, sent), 1)
    replies = await attack.replies([MALLORY])
    assert {reply.telegram_message_id for reply in replies} <= {card({})["message_id"], None}
    assert [fault for reply in replies for fault in refusals(reply)] == []
    assert not [reply for reply in replies if "A play by" in reply.payload["text"]], "nobody sees other people's texts"


async def test_mutated_taps_under_any_message_pass_the_whole_path(attack: Attack, answered: Counter[str]) -> None:
    before = await attack.digest()
    shown = [card(private(chat)) for chat in (MALLORY, VICTIM, ADMIN)]
    shown += [{"message_id": 5, "date": 0, "chat": private(MALLORY)}, card({"id": -7, "type": "group", "title": "x"})]
    sent = await attack.send(
        tap(MALLORY, data, shown[number % len(shown)]) for number, data in enumerate(mutations(250, seed=29))
    )
    assert attack.errors == []
    assert await attack.digest() == before
    assert answered == dict.fromkeys(map(str, sent), 1)
    assert [fault for reply in await attack.replies([MALLORY]) for fault in refusals(reply)] == []
