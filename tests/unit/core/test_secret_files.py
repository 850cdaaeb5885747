"""Secrets can be read from files. Errors about an unusable file or secret never show the secret."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from core.errors import BadSetting
from core.settings import Settings, read_settings
from storage.db.encryption import read_keys

pytestmark = pytest.mark.usefixtures("no_settings")


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "cannot be read"), (b"\n", "is empty"), (b"\xff\xfe", "is not text")]
)
def test_an_unusable_token_file_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    monkeypatch.setenv("TELEGRAM_TOKEN_FILE", "token")
    with pytest.raises(BadSetting, match=f"TELEGRAM_TOKEN_FILE cannot be used: {tmp_path}/token {reason}"):
        _ = read_settings().token


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


@pytest.mark.parametrize("address", ["postgresql://u:se]c[ret@db/thumbs", "postgresql://u@[db/thumbs"])
def test_an_address_that_cannot_be_parsed_is_reported_beside_a_password_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str
) -> None:
    (tmp_path / "password").write_text("secret", encoding="utf-8")
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", "password")
    monkeypatch.setenv("DATABASE_URL", address)
    with pytest.raises(BadSetting) as caught:
        _ = read_settings().database_address
    assert "ret" not in str(caught.value)


@pytest.mark.parametrize(
    "token", ["123456789", "123456789:", ":AA", "12345 6:AA", "123456:A/A", "123456:A\rA", "bot12:AA"]
)
@pytest.mark.parametrize("name", ["TELEGRAM_TOKEN", "TELEGRAM_TOKEN_FILE"])
def test_a_malformed_token_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, token: str, name: str) -> None:
    (tmp_path / "token").write_bytes(token.encode())
    monkeypatch.setenv(name, "token" if name.endswith("FILE") else token)
    with pytest.raises(BadSetting, match=f"{name} cannot be used: it does not look like a token from @BotFather"):
        _ = read_settings().token


@pytest.mark.parametrize(
    ("name", "read"), [("BROKER_URL", "broker_address"), ("WEBHOOK_SECRET", "webhook_secret_text")]
)
def test_a_secret_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, read: str) -> None:
    assert getattr(read_settings(), read) is None
    monkeypatch.setenv(name, "given")
    assert getattr(read_settings(), read) == "given"
    monkeypatch.setenv(f"{name}_FILE", "secret")
    with pytest.raises(BadSetting, match=f"{name}_FILE cannot be used: {tmp_path}/secret cannot be read"):
        getattr(read_settings(), read)
    (tmp_path / "secret").write_text("in-a-file\r\n", encoding="utf-8")
    assert getattr(read_settings(), read) == "in-a-file"


@pytest.mark.parametrize("secret", ["my secret:1", "Geheimnüs", "a" * 257, "a\nb"])
@pytest.mark.parametrize("name", ["WEBHOOK_SECRET", "WEBHOOK_SECRET_FILE"])
def test_a_webhook_secret_that_telegram_refuses_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secret: str, name: str
) -> None:
    (tmp_path / "secret").write_text(secret, encoding="utf-8")
    monkeypatch.setenv(name, "secret" if name.endswith("FILE") else secret)
    with pytest.raises(BadSetting, match=f"{name} cannot be used: Telegram accepts 1 to 256 of") as caught:
        _ = read_settings().webhook_secret_text
    assert secret not in str(caught.value)


def test_every_secret_may_be_in_a_file() -> None:
    secrets = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert {f"{name}_file" for name in secrets} <= set(Settings.model_fields)


def test_secret_files_of_windows_editors_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    for name, value in {"TELEGRAM_TOKEN_FILE": "12345:abc", "ENCRYPTION_KEY_FILE": key}.items():
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + value.encode() + b"\r\n")
        monkeypatch.setenv(name, str(tmp_path / name))
    settings = read_settings()
    assert settings.token == "12345:abc"
    assert read_keys(settings) == (key,)
