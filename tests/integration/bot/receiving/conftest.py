"""The fixture for processes that share a webhook."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playground_process import TOKEN, running_playground
from telegram import Bot

from bot.connection.contact import TelegramContact
from bot.database import AsyncDatabase
from bot.receiving.webhook import WebhookServer
from bot.receiving.webhook_registration import WebhookRegistration, WebhookSettings
from bot.sending.outbox import Outbox
from bot.sending.troubles import Troubles
from playground.client import PlaygroundClient
from storage.db.database import Database
from tests.webhook_deployment import ADMIN, UPDATES, Deployment, Process


@pytest.fixture(scope="session")
def shared_playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaygroundClient]:
    with running_playground(tmp_path_factory.mktemp("playground")) as client:
        yield client


@pytest.fixture
async def deployment(
    shared_playground: PlaygroundClient, migrated_sqlite: Path, tmp_path: Path, keys: tuple[str, ...]
) -> AsyncIterator[Deployment]:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    async with AsyncExitStack() as running:
        shared = AsyncDatabase(Database.open(f"sqlite:///{tmp_path / 'thumbs.db'}", keys))
        running.callback(shared.close)
        telegram = await running.enter_async_context(Bot(TOKEN, base_url=shared_playground.api_url))
        await telegram.delete_webhook()
        shared_playground.reset()

        troubles = Troubles(telegram, shared, Outbox(telegram, shared), {ADMIN})

        def new_process(given: str | None = None, path: str = "telegram", port: int = 0, url: str = "") -> Process:
            received: asyncio.Queue[str] = asyncio.Queue()
            contact = TelegramContact()
            server = WebhookServer(f"http://127.0.0.1/{path}", received.put)
            own_url = f"http://127.0.0.1:{server.bind('127.0.0.1', port)}/{path}"
            running.push_async_callback(server.stop)
            wanted = WebhookSettings(url or own_url, given, UPDATES)
            registration = WebhookRegistration(wanted, telegram, shared, server, contact, troubles)
            return Process(url or own_url, server, registration, contact, received)

        yield Deployment(shared_playground, telegram, shared, new_process)
