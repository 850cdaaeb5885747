"""An outbox that sends over a fake connection, which a test can break at will."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from sqlalchemy import select
from telegram import Bot
from telegram.request import HTTPXRequest

from bot.database import AsyncDatabase
from bot.sending.outbox import Outbox
from storage.chat import outbox as stored_outbox
from storage.chat.outbox import Draft
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState
from storage.db.tables import ReplyRow

TOKEN = "900:wire"
PAYLOAD: dict[str, Any] = {"text": "Positive"}
Wire = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


async def outbox_over(wire: Wire, store: AsyncDatabase) -> Outbox:
    """Return an outbox with an initialised bot that sends all further requests over ``wire``."""

    async def transport(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/getMe"):
            return httpx.Response(200, json={"ok": True, "result": {"id": 900, "is_bot": True, "first_name": "Thumbs"}})
        answer = wire(request)
        return answer if isinstance(answer, httpx.Response) else await answer

    bot = Bot(TOKEN, request=HTTPXRequest(httpx_kwargs={"transport": httpx.MockTransport(transport)}))
    await bot.initialize()
    return Outbox(bot, store)


async def state_after(store: AsyncDatabase, wire: Wire, changes: int | None = None) -> ReplyState:
    """Send one reply over ``wire`` and return its state afterwards."""
    await enqueue(store, 7, edits=changes)
    await (await outbox_over(wire, store)).send_next(7)
    return await only_state(store)


def breaking(error: type[httpx.TransportError]) -> Wire:
    def wire(_: httpx.Request) -> httpx.Response:
        raise error("the wire broke")

    return wire


def accepted(message_id: int = 5) -> httpx.Response:
    """Return Telegram's response to a message that it accepts."""
    message = {"message_id": message_id, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "Positive"}
    return httpx.Response(200, json={"ok": True, "result": message})


class AcceptingWire:
    """A connection on which Telegram accepts every message. A test can inspect the requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return accepted()


async def enqueue(store: AsyncDatabase, *chat_ids: int, **options: Any) -> int:
    """Enqueue a reply for each chat. Return the id of the last one."""

    def work(unit: UnitOfWork) -> int:
        return [stored_outbox.enqueue(unit, Draft(900, chat_id, PAYLOAD, **options)) for chat_id in chat_ids][-1]

    return await store.write(work)


async def only_state(store: AsyncDatabase) -> ReplyState:
    """Return the state of the only reply."""
    return await store.read(lambda unit: unit.scalars(select(ReplyRow.state)).one())


def answering(status: int, **answer: Any) -> Wire:
    return lambda _: httpx.Response(status, json={"ok": status == 200, **answer})
