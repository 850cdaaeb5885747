"""The demo's processes get exactly the demo's settings, regardless of the environment and of .env."""

import socket
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from cli.demo.settings import child_environment, demo_settings, usable_port
from core.errors import BadSetting, PortTaken, UnwritableFile
from core.paths import STARTER
from core.settings import Settings, read_settings


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a home folder without .env and an environment without settings, and return the folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("THUMBS_HOME", str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_PORT", "0")
    return tmp_path


def read_back(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings that a process would read in the demo's folder and environment."""
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    return read_settings()


def test_a_key_is_created_once_and_only_for_its_owner(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = demo_settings(Settings(playground_port=0))
    assert demo.encryption_key_file is not None
    assert stat.S_IMODE(demo.encryption_key_file.stat().st_mode) == 0o600
    key = demo.encryption_key_file.read_bytes()
    output = capsys.readouterr().out
    assert "Created the encryption key" in output
    assert "away from the database" in output
    again = demo_settings(Settings(playground_port=0))
    assert again.encryption_key_file == demo.encryption_key_file
    assert demo.encryption_key_file.read_bytes() == key
    assert capsys.readouterr().out == ""


def test_a_key_that_is_given_is_used(clean: Path) -> None:
    key = Fernet.generate_key().decode()
    demo = demo_settings(Settings(playground_port=0, encryption_key=key))  # type: ignore[arg-type]  # as it is in .env
    assert demo.encryption_key_file is None
    assert not (clean / "var" / "encryption.key").exists()


def test_an_invalid_key_is_an_error(clean: Path) -> None:
    (clean / "key").write_text("not a key", encoding="ascii")
    with pytest.raises(BadSetting, match="ENCRYPTION_KEY_FILE"):
        demo_settings(Settings(playground_port=0, encryption_key_file=Path("key")))


def test_the_processes_read_the_demo_settings(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = {
        "DATABASE_URL": "postgresql://localhost/live",
        "TELEGRAM_TOKEN": "987654:the-token-of-a-bot-that-people-use",
        "TELEGRAM_TOKEN_FILE": "live-token",
        "WEBHOOK_URL": "https://thumbs.example.org/hook",
        "MODEL": "models/mine",
        "RETENTION_DAYS": "30",
    }
    (clean / ".env").write_text("".join(f"{name}={value}\n" for name, value in live.items()), encoding="utf-8")
    monkeypatch.setenv("telegram_token", live["TELEGRAM_TOKEN"])
    demo = demo_settings(read_settings())
    seen = read_back(demo, monkeypatch)
    assert seen == demo
    assert (seen.model, seen.anchor) == (clean / "models" / "mine", STARTER)
    assert seen.token != live["TELEGRAM_TOKEN"]
    assert str(seen.database_address) == f"sqlite:///{clean / 'var' / 'thumbs.db'}"
    assert (seen.webhook_url, seen.retention_days) == (None, 30)
    assert seen.telegram_api_url == f"http://127.0.0.1:{demo.playground_port}"


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:"), ("localhost", "http://localhost:")])
def test_the_bot_can_reach_a_playground_that_listens_on_all_addresses(clean: Path, host: str, url: str) -> None:
    demo = demo_settings(Settings(playground_host=host, playground_port=0))
    assert demo.telegram_api_url.startswith(url)


@pytest.mark.parametrize(
    ("given", "expected"), [("mine", "{clean}/mine"), ("google-bert/bert-base-uncased", "{given}")]
)
def test_the_path_of_an_encoder_is_made_absolute(clean: Path, given: str, expected: str) -> None:
    (clean / "mine").mkdir()
    environment = child_environment(Settings(base_model=given))
    assert environment["BASE_MODEL"] == expected.format(clean=clean, given=given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ""),
        ({"NO_PROXY": "intra.example"}, "intra.example,"),
        ({"no_proxy": "intra.example"}, "intra.example,"),
        ({"NO_PROXY": "other.example", "no_proxy": "intra.example"}, "intra.example,"),
    ],
)
def test_the_demo_speaks_to_itself_directly(
    clean: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: str
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    environment = child_environment(Settings(playground_host="192.0.2.7"))
    assert environment["no_proxy"] == environment["NO_PROXY"] == f"{expected}192.0.2.7,127.0.0.1,localhost"


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} on 127.0.0.1 cannot be used: Address already in use"):
            usable_port("127.0.0.1", port)
    assert usable_port("127.0.0.1", port) == port


def test_a_data_folder_that_cannot_be_created_is_an_error(clean: Path) -> None:
    (clean / "var").write_text("a file", encoding="ascii")
    with pytest.raises(UnwritableFile, match="File exists"):
        demo_settings(Settings(playground_port=0))
