"""Settings are read from the environment and .env, and an invalid one is reported in one sentence."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from paths import ROOT
from sqlalchemy import make_url

from core.errors import BadSetting, BadSettingsFile
from core.settings import Settings, read_settings
from migrations.runner import upgrade
from storage.db.database import Database
from storage.db.encryption import read_keys
from storage.models.artifact_store import ArtifactStore


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a home folder without .env and an environment without settings."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("THUMBS_HOME", str(tmp_path))


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
    with pytest.raises(BadSetting, match=f"TELEGRAM_TOKEN_FILE cannot be used: {tmp_path}/token {reason}"):
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


@pytest.mark.parametrize("folder", ["what?", "a?1", "100%", "%41", "a#b", "a b", "a::b"])
def test_the_database_is_in_the_data_dir_whatever_characters_its_path_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / folder))
    settings = read_settings()
    upgrade(settings.database_address)
    Database.open(settings.database_address, [Fernet.generate_key().decode()]).close()
    assert [path.name for path in tmp_path.iterdir()] == [folder]
    assert (tmp_path / folder / "thumbs.db").is_file()
    model = tmp_path / "model"
    model.mkdir()
    ArtifactStore.open(settings.store_address).put(model, "v1")
    assert (tmp_path / folder / "models" / "v1").is_dir()


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


@pytest.mark.parametrize(
    "token", ["123456789", "123456789:", ":AA", "12345 6:AA", "123456:A/A", "123456:A\rA", "bot12:AA"]
)
@pytest.mark.parametrize("name", ["TELEGRAM_TOKEN", "TELEGRAM_TOKEN_FILE"])
def test_a_malformed_token_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, token: str, name: str) -> None:
    (tmp_path / "token").write_bytes(token.encode())
    monkeypatch.setenv(name, "token" if name.endswith("FILE") else token)
    with pytest.raises(BadSetting, match=f"{name} cannot be used: it does not look like a token from @BotFather"):
        _ = read_settings().token


@pytest.mark.parametrize("ids", ["99999999999999999999", "5,9223372036854775808", "-9223372036854775809"])
def test_an_admin_id_that_the_database_cannot_hold_is_reported(monkeypatch: pytest.MonkeyPatch, ids: str) -> None:
    assert "input should be" in error_for(monkeypatch, "ADMIN_IDS", ids)


@pytest.mark.parametrize("name", ["RETRAIN_DAYS", "RETRAIN_AFTER", "KEEP_MODELS", "FEEDBACK_QUORUM", "SERVING_THREADS"])
def test_a_number_too_large_to_compute_with_is_reported(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert "input should be" in error_for(monkeypatch, name, "99999999999999999999")


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


@pytest.mark.parametrize("name", ["BASE_MODEL", "IMDB_PATH"])
def test_a_path_that_cannot_be_looked_up_is_reported(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert "cannot be read" in error_for(monkeypatch, name, "x" * 300)


RELATIVE = {
    "DATA_DIR": "data",
    "MODEL": "mine",
    "ANCHOR": "mine",
    "BASE_MODEL": "mine",
    "IMDB_PATH": "mine",
    "ARTIFACT_STORE": "store",
    "TRAINING_PYTHON": "bin/python",
    "FEEDBACK_RECIPE": "quick.toml",
    "FULL_RECIPE": "quick.toml",
    "DATABASE_URL": "sqlite:///thumbs.db",
    **{name.upper(): "secret" for name in Settings.model_fields if name.endswith("_file")},
}


def test_relative_paths_are_relative_to_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in RELATIVE.items()), encoding="utf-8")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    settings = read_settings()
    for name, value in RELATIVE.items():
        read = str(getattr(settings, name.lower()))
        assert read.removeprefix("sqlite:///") == str(tmp_path / value.removeprefix("sqlite:///")), name


def test_every_setting_that_is_a_path_is_checked_above() -> None:
    paths = {name.upper() for name, field in Settings.model_fields.items() if "Path" in str(field.annotation)}
    assert paths <= set(RELATIVE)


def test_names_and_urls_are_not_made_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "BASE_MODEL": "google-bert/bert-base-uncased",
        "ARTIFACT_STORE": "s3://bucket/models",
        "FULL_RECIPE": "default",
        "DATABASE_URL": "postgresql://thumbs@db/thumbs",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert {name: getattr(settings, name.lower()) for name in given} == given


def test_the_project_is_the_default_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THUMBS_HOME")
    settings = Settings(_env_file=None)
    assert settings.data_dir == ROOT / "var"
    assert settings.model == settings.anchor == ROOT / "models" / "starter"


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


@pytest.mark.parametrize("name", ["missing", "a file"])
def test_a_home_that_is_not_a_folder_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").touch()
    assert f"there is no folder {tmp_path / name}" in error_for(monkeypatch, "THUMBS_HOME", str(tmp_path / name))


def test_a_blank_home_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUMBS_HOME", "  ")
    assert read_settings().data_dir == ROOT / "var"


def test_a_folder_named_env_is_reported(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(BadSettingsFile, match=r"\.env cannot be read: it is a folder"):
        read_settings()


def test_secret_files_of_windows_editors_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    for name, value in {"TELEGRAM_TOKEN_FILE": "12345:abc", "ENCRYPTION_KEY_FILE": key}.items():
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + value.encode() + b"\r\n")
        monkeypatch.setenv(name, str(tmp_path / name))
    settings = read_settings()
    assert settings.token == "12345:abc"
    assert read_keys(settings) == (key,)


def test_a_tilde_is_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    (tmp_path / ".env").write_text(
        "DATA_DIR=~/data\nARTIFACT_STORE=~/models\nDATABASE_URL=sqlite:///~/thumbs.db\n", encoding="utf-8"
    )
    settings = read_settings()
    assert settings.data_dir == tmp_path / "user" / "data"
    assert settings.artifact_store == str(tmp_path / "user" / "models")
    assert settings.database_url == f"sqlite:///{tmp_path / 'user' / 'thumbs.db'}"
    for name in ("DATA_DIR", "THUMBS_HOME"):
        assert "~nobody-has-this-name/x names an unknown user" in error_for(
            monkeypatch, name, "~nobody-has-this-name/x"
        )
