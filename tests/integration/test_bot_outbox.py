"""What becomes of a reply, by how the connection to Telegram broke: PTB over httpx, with a wire of our own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from telegram import Bot
from telegram.request import HTTPXRequest

from bot.outbox import Outbox
from bot.store import Store
from storage import replies
from storage.database import Database
from storage.tables import ReplyRow, ReplyState

TOKEN = "900:wire"
NEW: dict[str, Any] = {"text": "Positive"}
EDIT: dict[str, Any] = {"text": "Positive", "message_id": 5}
NEVER_LEFT = [
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
]
MAY_HAVE_ARRIVED = [
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
]

Wire = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def store(migrated_sqlite: Path, tmp_path: Path, keys: tuple[str, ...]) -> Iterator[Store]:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    opened = Store(Database.open(f"sqlite:///{tmp_path / 'thumbs.db'}", keys))
    yield opened
    opened.close()


async def state_after(store: Store, wire: Wire, method: str, payload: dict[str, Any]) -> ReplyState:
    """Send one reply over ``wire`` and see what the database says of it."""
    reply_id = await store.write(lambda unit: replies.enqueue(unit, 900, None, 7, method, payload))
    request = HTTPXRequest(httpx_kwargs={"transport": httpx.MockTransport(wire)})
    await Outbox(Bot(TOKEN, request=request), store).send([reply_id])
    return await store.read(lambda unit: unit.scalars(select(ReplyRow.state)).one())


def breaking(error: type[httpx.TransportError]) -> Wire:
    def wire(_: httpx.Request) -> httpx.Response:
        raise error("the wire broke")

    return wire


def answering(status: int, **answer: Any) -> Wire:
    return lambda _: httpx.Response(status, json={"ok": status == 200, **answer})


@pytest.mark.parametrize("error", NEVER_LEFT)
async def test_a_request_that_never_left_is_made_again(store: Store, error: type[httpx.TransportError]) -> None:
    assert await state_after(store, breaking(error), "sendMessage", NEW) is ReplyState.PENDING


@pytest.mark.parametrize("error", MAY_HAVE_ARRIVED)
async def test_a_message_that_may_have_arrived_is_not_sent_again(
    store: Store, error: type[httpx.TransportError]
) -> None:
    assert await state_after(store, breaking(error), "sendMessage", NEW) is ReplyState.UNCERTAIN


@pytest.mark.parametrize("error", [*NEVER_LEFT, *MAY_HAVE_ARRIVED])
async def test_an_edit_is_always_made_again(store: Store, error: type[httpx.TransportError]) -> None:
    assert await state_after(store, breaking(error), "editMessageText", EDIT) is ReplyState.PENDING


async def test_an_edit_that_changes_nothing_has_arrived(store: Store) -> None:
    wire = answering(400, error_code=400, description="Bad Request: message is not modified: same content")
    assert await state_after(store, wire, "editMessageText", EDIT) is ReplyState.SENT


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
@pytest.mark.parametrize(
    ("status", "description"),
    [(400, "Bad Request: chat not found"), (403, "Forbidden: bot was blocked by the user")],
)
async def test_what_telegram_refuses_for_good_is_not_tried_again(
    store: Store, method: str, status: int, description: str
) -> None:
    wire = answering(status, error_code=status, description=description)
    payload = NEW if method == "sendMessage" else EDIT
    assert await state_after(store, wire, method, payload) is ReplyState.FAILED
