"""A bot is in contact as long as Telegram responds and any registered webhook is still the bot's own."""

import time

import pytest

from bot.connection.contact import TelegramContact


def test_the_contact_is_lost_after_a_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    contact = TelegramContact()
    assert contact.seconds_since_heard() is None
    assert contact.problem() == "It has not responded yet."
    contact.heard()
    assert contact.problem() is None
    now += 100
    assert contact.problem() is None
    now += 1
    assert contact.problem() == "It has not responded for 101 seconds."
    contact.heard()
    assert contact.problem() is None


def test_a_webhook_of_another_address_is_a_problem() -> None:
    contact = TelegramContact()
    contact.heard()
    contact.webhook_is_ours = True
    assert contact.problem() is None
    contact.webhook_is_ours = False
    assert contact.problem() == "It sends this bot's updates to a different address."


def test_updates_that_cannot_be_delivered_are_a_problem() -> None:
    contact = TelegramContact()
    contact.heard()
    contact.delivery_error = "Connection refused"
    assert contact.problem() == "It cannot deliver updates (Connection refused)."
