"""A running bot notices and reports what is wrong with its webhook, and never fights over its address."""

import logging

import pytest
from sqlalchemy import select
from telegram.error import InvalidToken

from storage.chat.people import upsert_person
from storage.db.database import UnitOfWork
from storage.db.tables import ReplyRow
from tests.webhook_deployment import ADMIN, FOREIGN, Deployment, port_of, wait_for_failed_delivery


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
