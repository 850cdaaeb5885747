"""The webhook's secret survives restarts, and is registered again if an update arrives with the wrong secret."""

import pytest

from storage.chat.webhook_secrets import forget_webhook_secret, share_webhook_secret, webhook_secret
from storage.db.database import Database
from tests.webhook_deployment import UPDATES, Deployment, port_of, wait_for_failed_delivery


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
