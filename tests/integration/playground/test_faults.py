"""The effect of every fault on python-telegram-bot."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playground_process import TOKEN
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from playground.client import PlaygroundClient
from playground.errors import PlaygroundRefused
from playground.state.faults import KINDS


@pytest.fixture
async def bot(playground: PlaygroundClient) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, base_url=playground.api_url) as bot:
        playground.message("Hello")
        yield bot


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        ("400", BadRequest, "told to refuse"),
        ("401", InvalidToken, "Unauthorized"),
        ("403", Forbidden, "blocked by the user"),
        ("409", Conflict, "terminated by other"),
        ("429", RetryAfter, "7 seconds"),
        ("migrate", ChatMigrated, "-100200"),
        ("500", NetworkError, "Internal Server Error"),
        ("html_502", NetworkError, "Bad Gateway"),
        ("dropped_before", NetworkError, "disconnected"),
    ],
)
async def test_a_refused_call_has_no_effect(
    playground: PlaygroundClient, bot: Bot, kind: str, error: type[TelegramError], reason: str
) -> None:
    playground.fault(kind, "sendMessage", retry_after=7, migrate_to_chat_id=-100200)
    with pytest.raises(error, match=reason):
        await bot.send_message(2, "Hi")
    assert len(playground.chat()["messages"]) == 1
    call = playground.outbox()[-1]
    assert (call["method"], call["params"], call["ok"], call["fault"]) == (
        "sendMessage",
        {"chat_id": "2", "text": "Hi"},
        False,
        kind,
    )
    assert (await bot.send_message(2, "Hi")).text == "Hi"


async def test_a_call_whose_answer_is_lost_has_its_effect(playground: PlaygroundClient, bot: Bot) -> None:
    playground.fault("answer_lost", "sendMessage")
    with pytest.raises(NetworkError, match="disconnected"):
        await bot.send_message(2, "Hi")
    assert [message["text"] for message in playground.chat()["messages"]] == ["Hello", "Hi"]
    call = playground.outbox()[-1]
    assert (call["ok"], call["result"]["text"], call["fault"]) == (True, "Hi", "answer_lost")


async def test_a_hanging_call_is_never_answered(playground: PlaygroundClient, bot: Bot) -> None:
    playground.fault("hang", "sendMessage")
    with pytest.raises(TimedOut):
        await bot.send_message(2, "Hi", read_timeout=0.3)
    assert len(playground.chat()["messages"]) == 1


async def test_a_reset_ends_hanging_calls(playground: PlaygroundClient, bot: Bot) -> None:
    playground.fault("hang", "sendMessage")
    seen = playground.outbox()[-1]["seq"]
    hanging = asyncio.create_task(bot.send_message(2, "Hi", read_timeout=60))
    await asyncio.to_thread(playground.wait_for_call, "sendMessage", seen)
    playground.reset()
    with pytest.raises(NetworkError, match="disconnected"):
        await hanging


async def test_a_slow_call_has_its_effect_even_if_the_bot_gives_up(playground: PlaygroundClient, bot: Bot) -> None:
    playground.fault("slow", "sendMessage", seconds=0.6)
    seen = playground.outbox()[-1]["seq"]
    with pytest.raises(TimedOut):
        await bot.send_message(2, "Hi", read_timeout=0.1)
    call = await asyncio.to_thread(playground.wait_for_call, "sendMessage", seen)
    assert (call["ok"], call["fault"]) == (True, "slow")
    playground.fault("slow", "getMe", seconds=0.1)
    assert (await bot.get_me()).is_bot


async def test_a_poll_can_fail_too(playground: PlaygroundClient, bot: Bot) -> None:
    playground.fault("html_502", "getUpdates")
    playground.fault("answer_lost", "getUpdates")
    for _ in range(2):
        with pytest.raises(NetworkError):
            await bot.get_updates()
    assert [update.message.text for update in await bot.get_updates()] == ["Hello"]


async def test_updates_arrive_twice_and_out_of_order(playground: PlaygroundClient, bot: Bot) -> None:
    (hello,) = await bot.get_updates()
    playground.fault("duplicate_update")
    playground.fault("out_of_order")
    for text in ("twice", "later", "sooner"):
        playground.message(text)
    updates = await bot.get_updates(offset=hello.update_id + 1)
    assert [update.message.text for update in updates] == ["twice", "twice", "sooner", "later"]
    assert [update.update_id - hello.update_id for update in updates] == [1, 1, 3, 2]


async def test_faults_can_be_cancelled(playground: PlaygroundClient, bot: Bot) -> None:
    assert playground.fault("500", times=3)["faults"] == [{"kind": "500", "method": "*", "times": 3}]
    playground.clear_faults()
    assert (await bot.get_me()).is_bot


def test_an_unknown_fault_is_refused(playground: PlaygroundClient) -> None:
    with pytest.raises(PlaygroundRefused, match=f"one of {', '.join(KINDS)} expected"):
        playground.fault("sleepy")
    with pytest.raises(PlaygroundRefused, match="name of a Bot API method"):
        playground.fault("500", "sendPol")
