"""Settings are read from the environment and .env, and an invalid one is reported in one sentence."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from core.errors import BadSetting
from core.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a working folder without .env and an environment without settings."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def error_for(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as caught:
        read_settings()
    assert caught.value.exit_code == 2
    message = str(caught.value)
    assert message.startswith(f"The setting {name} cannot be used: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", ["TELEGRAM_TOKEN", "DATABASE_URL", "RETENTION_DAYS", "WEBHOOK_URL", "LOG_LEVEL"])
def test_an_empty_setting_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    (tmp_path / ".env").write_text(f"{name}=\n", encoding="utf-8")
    assert read_settings() == Settings(_env_file=None)
    monkeypatch.setenv(name, "")
    assert read_settings() == Settings(_env_file=None)


def test_a_missing_token_is_reported_with_where_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "")
    with pytest.raises(BadSetting, match="TELEGRAM_TOKEN cannot be used: it is not set; get a token from @BotFather"):
        _ = read_settings().token


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "cannot be read"), (b"\n", "is empty"), (b"\xff\xfe", "is not text")]
)
def test_an_unusable_token_file_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    monkeypatch.setenv("TELEGRAM_TOKEN_FILE", "token")
    with pytest.raises(BadSetting, match=f"TELEGRAM_TOKEN_FILE cannot be used: token {reason}"):
        _ = read_settings().token


@pytest.mark.parametrize("level", ["debug", "Debug", "DEBUG", " debug "])
def test_a_log_level_may_be_in_any_case(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    assert read_settings().log_level == "DEBUG"


def test_an_unknown_log_level_is_reported_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    message = error_for(monkeypatch, "LOG_LEVEL", "loud")
    assert all(f"'{level}'" in message for level in ("DEBUG", "INFO", "WARNING", "ERROR"))


@pytest.mark.parametrize("name", ["TELEGRAM_API_URL", "WEBHOOK_URL"])
@pytest.mark.parametrize(
    "address",
    [
        "api.telegram.org",
        "localhost:8081",
        "ftp://example.org",
        "https://",
        "http://[::1",
        "http://a:port",
        "http://a b",
    ],
)
def test_a_url_that_is_not_http_is_rejected(monkeypatch: pytest.MonkeyPatch, name: str, address: str) -> None:
    assert "it is not an http(s) URL" in error_for(monkeypatch, name, address)


@pytest.mark.parametrize("address", ["https://example.org/hook", "http://127.0.0.1:8081", "http://[::1]:8081/"])
def test_an_http_url_is_kept_unchanged(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", address)
    assert read_settings().telegram_api_url == address


@pytest.mark.parametrize(
    ("name", "port"),
    [("PLAYGROUND_PORT", "-1"), ("PLAYGROUND_PORT", "65536"), ("WEBHOOK_PORT", "0"), ("WEBHOOK_PORT", "70000")],
)
def test_an_impossible_port_is_reported(monkeypatch: pytest.MonkeyPatch, name: str, port: str) -> None:
    assert "input should be" in error_for(monkeypatch, name, port)


def test_the_playground_port_may_be_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_PORT", "0")
    assert read_settings().playground_port == 0


@pytest.mark.parametrize("password", ["secret", "a/b@c:d#e?f%20 g", "schön"])
def test_the_password_file_becomes_part_of_the_database_url(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, password: str
) -> None:
    (tmp_path / "password").write_text(f"{password}\n", encoding="utf-8")
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", "password")
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://thumbs@db:5433/reviews?connect_timeout=5")
    address = make_url(read_settings().database_address)
    assert (address.username, address.password, address.host, address.port) == ("thumbs", password, "db", 5433)
    assert (address.database, address.query) == ("reviews", {"connect_timeout": "5"})


@pytest.mark.parametrize("address", ["", "sqlite:///thumbs.db", "postgresql://db/reviews", "postgresql://a:b@db/c"])
def test_a_password_file_without_a_user_in_the_url_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str
) -> None:
    (tmp_path / "password").write_text("secret", encoding="utf-8")
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", "password")
    monkeypatch.setenv("DATABASE_URL", address)
    with pytest.raises(BadSetting, match="DATABASE_PASSWORD_FILE cannot be used: it needs a DATABASE_URL"):
        _ = read_settings().database_address
