"""Several processes of one bot that share a webhook, on a playground and a database."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from telegram import Bot

from bot.connection.contact import TelegramContact
from bot.database import AsyncDatabase
from bot.receiving.webhook import WebhookServer
from bot.receiving.webhook_registration import WebhookRegistration
from playground.client import PlaygroundClient
from storage.db.database import UnitOfWork
from storage.models.instances import acknowledge
from storage.models.registry import register

UPDATES = ["message", "edited_message", "callback_query"]
ADMIN = 5
FOREIGN = "https://another.example.org/secret-path"


@dataclass
class Process:
    """The webhook server and registration in one bot process."""

    url: str
    server: WebhookServer
    registration: WebhookRegistration
    contact: TelegramContact
    received: asyncio.Queue[str]

    async def next_update(self) -> str:
        return await asyncio.wait_for(self.received.get(), 60)

    async def start(self) -> None:
        await self.registration.claim()
        self.server.start()
        await self.registration.register()


@dataclass
class Deployment:
    """A Bot API and a database, shared by several processes of one bot."""

    client: PlaygroundClient
    telegram: Bot
    database: AsyncDatabase
    new_process: Callable[..., Process]

    def calls(self, method: str) -> int:
        return sum(call["method"] == method for call in self.client.outbox())

    async def registered_url(self) -> str:
        return (await self.telegram.get_webhook_info()).url

    async def run_other_process(self) -> None:
        """Record that another process of the bot is running."""

        def report(unit: UnitOfWork) -> None:
            register(unit, "one", "0" * 64, "models/one")
            acknowledge(unit, "other:1", self.telegram.id, "one")

        await self.database.write(report)


async def wait_for_failed_delivery(deployment: Deployment) -> None:
    while (await deployment.telegram.get_webhook_info()).last_error_message is None:
        pass  # each round waits for the playground's answer


def port_of(process: Process) -> int:
    return int(process.url.split(":")[2].split("/")[0])
