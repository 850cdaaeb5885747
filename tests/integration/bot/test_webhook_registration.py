"""The webhook's secret survives restarts, and processes never fight over the webhook's address."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playground_process import TOKEN, running_playground
from sqlalchemy import select
from telegram import Bot
from telegram.error import InvalidToken

from bot.connection import retries
from bot.connection.contact import TelegramContact
from bot.database import AsyncDatabase
from bot.receiving.webhook import WebhookServer
from bot.receiving.webhook_registration import WebhookRegistration, WebhookSettings, release_webhook
from bot.sending.outbox import Outbox
from bot.sending.troubles import Troubles
from core.errors import BadSetting
from playground.client import PlaygroundClient
from storage.chat.people import upsert_person
from storage.chat.webhook_secrets import forget_webhook_secret, share_webhook_secret, webhook_secret
from storage.db.database import Database, UnitOfWork
from storage.db.tables import ReplyRow
from storage.models.instances import acknowledge, deregister
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


@pytest.fixture(scope="module")
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


async def wait_for_failed_delivery(deployment: Deployment) -> None:
    while (await deployment.telegram.get_webhook_info()).last_error_message is None:
        pass  # each round waits for the playground's answer


def port_of(process: Process) -> int:
    return int(process.url.split(":")[2].split("/")[0])


def test_a_bot_has_one_secret_until_another_is_given(database: Database) -> None:
    with database.unit_of_work() as unit:
        assert webhook_secret(unit, 1) is None
        first = share_webhook_secret(unit, 1, None)
        assert len(first) >= 32
        assert share_webhook_secret(unit, 1, None) == webhook_secret(unit, 1) == first
        assert share_webhook_secret(unit, 2, None) != first
        assert share_webhook_secret(unit, 1, "given") == "given"
        assert share_webhook_secret(unit, 1, None) == "given"
        forget_webhook_secret(unit, 1)
        assert webhook_secret(unit, 1) is None


async def test_a_restart_keeps_the_secret_and_registers_nothing(deployment: Deployment) -> None:
    first = deployment.new_process()
    await first.start()
    assert await deployment.registered_url() == first.url
    assert first.contact.webhook_is_ours
    await first.server.stop()
    second = deployment.new_process(port=port_of(first))
    await second.start()
    assert second.server.secret == first.server.secret
    assert deployment.calls("setWebhook") == 1
    deployment.client.message("A fine play.")
    assert "A fine play." in await second.next_update()


async def test_other_kinds_of_updates_are_registered_again(deployment: Deployment) -> None:
    first = deployment.new_process()
    await first.start()
    await deployment.telegram.set_webhook(first.url, secret_token=first.server.secret, allowed_updates=["poll"])
    await first.server.stop()
    await deployment.new_process(port=port_of(first)).start()
    assert set((await deployment.telegram.get_webhook_info()).allowed_updates) == set(UPDATES)


async def test_a_secret_from_the_settings_replaces_the_one_of_running_processes(deployment: Deployment) -> None:
    first = deployment.new_process()
    await first.start()
    second = deployment.new_process("given-by-the-operator", url=first.url)  # behind the same proxy
    await second.start()
    assert deployment.calls("setWebhook") == 2
    await first.registration.check()
    assert first.server.secret == "given-by-the-operator"


async def test_a_refused_secret_is_registered_again(deployment: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    process = deployment.new_process()
    await process.start()
    await deployment.telegram.set_webhook(process.url, secret_token="stranger", allowed_updates=UPDATES)
    deployment.client.message("A fine play.")
    await wait_for_failed_delivery(deployment)
    assert process.received.empty()
    registered = deployment.calls("setWebhook")
    for _ in range(2):
        await process.registration.check()
    assert deployment.calls("setWebhook") == registered + 1
    assert "A fine play." in await process.next_update()
    assert caplog.text.count("so it will be registered again") == 1
    assert caplog.text.count("with a wrong secret") >= 1


async def test_a_foreign_address_is_reported_once_and_never_fought_over(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    await deployment.database.write(lambda unit: upsert_person(unit, ADMIN, "Ann", None))
    process = deployment.new_process()
    await process.start()
    await deployment.telegram.set_webhook(FOREIGN)
    registered = deployment.calls("setWebhook")
    for _ in range(3):
        await process.registration.check()
    assert deployment.calls("setWebhook") == registered
    assert await deployment.registered_url() == FOREIGN
    assert process.contact.webhook_is_ours is False
    reports = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert reports == [
        "This bot receives no updates: its webhook goes to https://another.example.org now. "
        "Restart the bot to take it back"
    ]
    assert await notices(deployment) == 1
    await deployment.telegram.set_webhook(process.url, secret_token=process.server.secret)
    await process.registration.check()
    assert process.contact.webhook_is_ours
    await deployment.telegram.delete_webhook()
    await process.registration.check()
    assert await notices(deployment) == 2


async def notices(deployment: Deployment) -> int:
    """Return the number of messages enqueued for the admin."""

    def count(unit: UnitOfWork) -> int:
        return len(unit.scalars(select(ReplyRow).where(ReplyRow.chat_id == ADMIN)).all())

    return await deployment.database.read(count)


async def test_a_deleted_webhook_is_reported(deployment: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    process = deployment.new_process()
    await process.start()
    await deployment.telegram.delete_webhook()
    await process.registration.check()
    assert process.contact.webhook_is_ours is False
    assert "its webhook was deleted" in caplog.text
    assert deployment.calls("setWebhook") == 1


async def test_a_failed_delivery_is_logged_once_and_a_problem_until_updates_arrive(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    process = deployment.new_process()
    await process.start()
    await process.server.stop()
    deployment.client.message("A fine play.")
    await wait_for_failed_delivery(deployment)
    for _ in range(2):
        await process.registration.check()
    assert caplog.text.count("Telegram could not deliver an update: Connection failed") == 1
    assert deployment.calls("setWebhook") == 1
    problem = process.contact.problem()
    assert problem is not None
    assert problem.startswith("It cannot deliver updates (Connection failed")
    again = deployment.new_process(port=port_of(process))
    again.server.secret = process.server.secret
    again.server.start()
    await again.next_update()
    while process.contact.problem():  # until Telegram counts the update as delivered
        await process.registration.check()


async def test_admins_are_notified_of_failed_deliveries_once(deployment: Deployment) -> None:
    await deployment.database.write(lambda unit: upsert_person(unit, ADMIN, "Ann", None))
    process = deployment.new_process()
    await process.start()
    await process.server.stop()
    for text in ("A fine play.", "A dull play."):
        deployment.client.message(text)
        await wait_for_failed_delivery(deployment)
        await process.registration.check()
        assert await notices(deployment) == 1
    restarted = deployment.new_process(url=process.url)
    await restarted.start()
    await restarted.registration.check()
    assert await notices(deployment) == 1


async def test_a_403_that_this_process_did_not_send_is_reported(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    process = deployment.new_process()
    proxy = deployment.new_process(url=process.url)
    await process.start()
    await process.server.stop()
    proxy.server.secret = "another"
    proxy.server.bind("127.0.0.1", port_of(process))
    proxy.server.start()
    deployment.client.message("A fine play.")
    await wait_for_failed_delivery(deployment)
    await process.registration.check()
    assert "Telegram could not deliver an update: Wrong response from the webhook: 403" in caplog.text
    assert deployment.calls("setWebhook") == 1


async def test_the_watch_ends_if_telegram_refuses_the_token(deployment: Deployment) -> None:
    process = deployment.new_process()
    await process.start()
    deployment.client.fault("401", "getWebhookInfo")
    with pytest.raises(InvalidToken):
        await process.registration.watch()


async def test_an_unanswered_check_is_one_line_in_the_log(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    process = deployment.new_process()
    await process.start()
    deployment.client.fault("500", "getWebhookInfo", times=3)
    for _ in range(3):
        await process.registration.check()
    (record,) = caplog.records
    assert record.getMessage().startswith("Telegram's webhook settings cannot be used; will retry: ")
    assert process.contact.webhook_is_ours
    await process.registration.check()
    since = process.contact.seconds_since_heard()
    assert since is not None
    assert since < 60


async def test_a_refused_registration_names_the_setting(deployment: Deployment) -> None:
    process = deployment.new_process()
    deployment.client.fault("400", "setWebhook", description="Bad Request: bad webhook: no such host")
    with pytest.raises(BadSetting, match=r"WEBHOOK_URL cannot be used: Telegram refuses it .*no such host"):
        await process.start()


async def test_a_registration_that_fails_for_a_moment_is_repeated_with_one_line_in_the_log(
    deployment: Deployment, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "_FIRST_PAUSE", 0.0)
    process = deployment.new_process()
    deployment.client.fault("500", "getWebhookInfo", times=1)
    deployment.client.fault("429", "setWebhook", times=1, retry_after=1)
    deployment.client.fault("500", "setWebhook", times=2)
    await process.start()
    assert await deployment.registered_url() == process.url
    logged = [record.getMessage() for record in caplog.records if record.name == "core.outages"]
    assert [" ".join(message.split()[3:7]) for message in logged] == ["cannot be used; will", "can be used again,"] * 2


@pytest.mark.parametrize("polling", [False, True])
async def test_an_address_that_another_program_registered_is_not_replaced(
    deployment: Deployment, polling: bool
) -> None:
    await deployment.telegram.set_webhook(FOREIGN)
    for _ in range(2):  # the first attempt leaves nothing behind
        with pytest.raises(
            BadSetting, match=r"WEBHOOK_URL .* https://another\.example\.org, .* deleteWebhook"
        ) as caught:
            await _start(deployment, polling)
        assert "secret-path" not in str(caught.value)
    assert await deployment.registered_url() == FOREIGN


@pytest.mark.parametrize("polling", [False, True])
async def test_an_address_is_replaced_only_once_its_bot_has_ended(
    deployment: Deployment, polling: bool, caplog: pytest.LogCaptureFixture
) -> None:
    old = deployment.new_process()
    await old.start()
    await deployment.run_other_process()
    with pytest.raises(BadSetting, match=r"WEBHOOK_URL .* and other:1 is receiving them; stop it first"):
        await _start(deployment, polling)
    assert await deployment.registered_url() == old.url
    await deployment.database.write(lambda unit: deregister(unit, "other:1"))
    await _start(deployment, polling)
    assert (await deployment.registered_url()).endswith("" if polling else "/moved")
    assert old.url not in caplog.text
    stored = await deployment.database.read(lambda unit: webhook_secret(unit, deployment.telegram.id))
    assert (stored is None) == polling


async def _start(deployment: Deployment, polling: bool) -> None:
    if polling:
        await release_webhook(deployment.telegram, deployment.database)
    else:
        await deployment.new_process(path="moved").start()


@pytest.mark.parametrize("answer", [True, {}, [], "https://another.example.org"])
async def test_a_server_that_cannot_tell_the_address_has_none(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    async def answer_all(*_: Any, **__: Any) -> Any:
        return answer

    monkeypatch.setattr(Bot, "_post", answer_all)
    await release_webhook(deployment.telegram, deployment.database)
    process = deployment.new_process()
    await process.start()
    await process.registration.check()
    assert process.contact.webhook_is_ours


async def test_a_server_without_the_method_has_no_address(deployment: Deployment) -> None:
    deployment.client.fault("401", "getWebhookInfo", description="Not Found")
    await deployment.new_process().start()
