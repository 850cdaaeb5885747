"""A bot that starts registers its webhook, unless another program or process uses the address."""

from typing import Any

import pytest
from telegram import Bot

from bot.connection import retries
from bot.receiving.webhook_registration import release_webhook
from core.errors import BadSetting
from storage.chat.webhook_secrets import webhook_secret
from storage.models.instances import deregister
from tests.webhook_deployment import FOREIGN, Deployment


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
