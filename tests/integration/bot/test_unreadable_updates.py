"""Updates that cannot be parsed or stored are set aside, and the others are handled."""

import asyncio
import copy
import json
import logging
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from bot.database import AsyncDatabase
from bot.receiving import inbox
from bot.receiving.inbox import Inbox
from bot.receiving.message_parts import MIN_SPLIT_LENGTH
from storage.chat import inbox as stored_inbox
from storage.chat import outbox as stored_outbox
from storage.db.states import UpdateState
from tests.inbox_parts import (
    BOT_ID,
    Handler,
    make_inbox,
    states,
    wait_for_states,
    wait_until_set_aside,
)
from tests.raw_updates import TAP, message, update

POLL_WITHOUT_A_FIELD = {"id": "1", "question": "?", "options": [{"text": "a"}], "type": "regular"}
INACCESSIBLE = {"message_id": 3, "date": 0, "chat": {"id": 7, "type": "private"}}


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
    """Return one event of each kind that the bot handles, all from the same person (one of ten)."""
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
