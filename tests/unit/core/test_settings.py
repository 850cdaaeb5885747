"""Settings are read from the environment and .env, and an invalid one is reported in one sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadSetting, BadSettingsFile
from core.settings import Settings, read_settings

pytestmark = pytest.mark.usefixtures("no_settings")


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


@pytest.mark.parametrize("level", ["debug", "Debug", "DEBUG", " debug "])
def test_a_log_level_may_be_in_any_case(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    assert read_settings().log_level == "DEBUG"


def test_an_unknown_log_level_is_reported_with_the_known_ones(error_for: Callable[[str, str], str]) -> None:
    message = error_for("LOG_LEVEL", "loud")
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
def test_a_url_that_is_not_http_is_rejected(error_for: Callable[[str, str], str], name: str, address: str) -> None:
    assert "it is not an http(s) URL" in error_for(name, address)


@pytest.mark.parametrize("address", ["https://example.org/hook", "http://127.0.0.1:8081", "http://[::1]:8081/"])
def test_an_http_url_is_kept_unchanged(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", address)
    assert read_settings().telegram_api_url == address


@pytest.mark.parametrize(
    ("name", "port"),
    [("PLAYGROUND_PORT", "-1"), ("PLAYGROUND_PORT", "65536"), ("WEBHOOK_PORT", "0"), ("WEBHOOK_PORT", "70000")],
)
def test_an_impossible_port_is_reported(error_for: Callable[[str, str], str], name: str, port: str) -> None:
    assert "input should be" in error_for(name, port)


def test_the_playground_port_may_be_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_PORT", "0")
    assert read_settings().playground_port == 0


@pytest.mark.parametrize("end", ["\r", "\r\n", " ", "\t"])
def test_white_space_around_a_setting_is_dropped(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", f"123456789:AA-x_y{end}")
    monkeypatch.setenv("WEBHOOK_URL", f"https://example.org/hook{end}")
    monkeypatch.setenv("DATA_DIR", f"var{end}")
    monkeypatch.setenv("RETENTION_DAYS", end)
    settings = read_settings()
    assert settings.token == "123456789:AA-x_y"
    assert (settings.webhook_url, settings.data_dir.name) == ("https://example.org/hook", "var")
    assert settings.retention_days == 365


@pytest.mark.parametrize("ids", ["99999999999999999999", "5,9223372036854775808", "-9223372036854775809"])
def test_an_admin_id_that_the_database_cannot_hold_is_reported(error_for: Callable[[str, str], str], ids: str) -> None:
    assert "input should be" in error_for("ADMIN_IDS", ids)


@pytest.mark.parametrize("name", ["RETRAIN_DAYS", "RETRAIN_AFTER", "KEEP_MODELS", "FEEDBACK_QUORUM", "SERVING_THREADS"])
def test_a_number_too_large_to_compute_with_is_reported(error_for: Callable[[str, str], str], name: str) -> None:
    assert "input should be" in error_for(name, "99999999999999999999")


@pytest.mark.parametrize(
    "content",
    [
        "RETENTION_DAYS=30\n".encode("utf-16"),
        "RETENTION_DAYS=30\n".encode("utf-16-le"),
        "# für uns\nRETENTION_DAYS=30\n".encode("latin-1"),
    ],
)
def test_an_env_file_in_another_encoding_is_reported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(BadSettingsFile, match=r"\.env cannot be read: it is not UTF-8 text"):
        read_settings()


def test_an_unreadable_env_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / ".env")
    with pytest.raises(BadSettingsFile, match=r"\.env cannot be read: "):
        read_settings()


def test_a_folder_named_env_is_reported(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(BadSettingsFile, match=r"\.env cannot be read: it is a folder"):
        read_settings()
