"""A bot that starts with a webhook never cuts off a running bot, and reports Telegram's refusals in one sentence."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from bot_process import BotHome, running_bot, start_bot
from paths import ROOT

from playground.client import PlaygroundClient

REVIEW = "A splendid little book: clever, funny and kind. I have given it to all my friends."
END_SECONDS = 60.0


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
        return number


@pytest.fixture
def home(tmp_path: Path) -> BotHome:
    return BotHome.make(tmp_path / "var")


def webhook(port: int, path: str = "telegram") -> dict[str, str]:
    return {"WEBHOOK_URL": f"http://127.0.0.1:{port}/{path}", "WEBHOOK_PORT": str(port)}


def output_of_failed_start(home: BotHome, client: PlaygroundClient, **settings: str) -> str:
    """Start a bot that must fail, check that it ends without a traceback, and return its output."""
    with start_bot(home, client, **settings) as process:
        output, _ = process.communicate(timeout=END_SECONDS)
    assert process.returncode not in (0, None), output
    assert "Traceback" not in output
    return output


def expect_an_answer(client: PlaygroundClient, person: int) -> None:
    client.message(REVIEW, user_id=person)
    client.wait_for_chat(lambda chat: any(message["from_bot"] for message in chat["messages"]), chat_id=person)


def calls(client: PlaygroundClient, method: str) -> int:
    return sum(call["method"] == method for call in client.outbox())


def test_a_second_bot_never_makes_the_first_one_deaf(playground: PlaygroundClient, home: BotHome, port: int) -> None:
    # The bot doesn't support this proxy from the environment, but the API is on this machine.
    proxies = {"ALL_PROXY": "socks://127.0.0.1:9/", "NO_PROXY": "", "no_proxy": ""}
    with running_bot(home, playground, **webhook(port), **proxies):
        assert calls(playground, "setWebhook") == 1
        assert "The setting WEBHOOK_PORT cannot be used" in output_of_failed_start(home, playground, **webhook(port))
        elsewhere = webhook(port + 1 if port < 65535 else port - 1, "elsewhere")
        assert "The setting WEBHOOK_URL cannot be used" in output_of_failed_start(home, playground, **elsewhere)
        assert calls(playground, "setWebhook") == 1
        assert calls(playground, "deleteWebhook") == 0
        expect_an_answer(playground, 7)
    with running_bot(home, playground):
        assert playground.status()["bot"]["webhook"] is None
        expect_an_answer(playground, 8)


def test_a_secret_that_telegram_refuses_ends_the_start_with_a_sentence(
    playground: PlaygroundClient, home: BotHome, port: int
) -> None:
    output = output_of_failed_start(home, playground, **webhook(port), WEBHOOK_SECRET="my secret:1")
    assert "The setting WEBHOOK_SECRET cannot be used: " in output
    assert "my secret" not in output
    assert playground.status()["bot"]["webhook"] is None


def test_a_proxy_that_cannot_be_used_is_reported_in_a_sentence(home: BotHome) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {
        "DATA_DIR": str(home.settings.data_dir),
        "ENCRYPTION_KEY_FILE": str(home.settings.encryption_key_file),
        "TELEGRAM_TOKEN": "123456789:AA-x_y",
        "ALL_PROXY": "socks://user:pass@127.0.0.1:9/",
    }
    done = subprocess.run(
        [sys.executable, "-m", "bot"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "The setting ALL_PROXY cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
    assert "pass" not in done.stderr
