"""Paths in settings are relative to the home folder, and names and URLs are left unchanged."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from paths import ROOT

from core.settings import Settings, read_settings
from migrations.runner import upgrade
from storage.db.database import Database
from storage.models.artifact_store import ArtifactStore

pytestmark = pytest.mark.usefixtures("no_settings")


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


@pytest.mark.parametrize("name", ["BASE_MODEL", "IMDB_PATH"])
def test_a_path_that_cannot_be_looked_up_is_reported(error_for: Callable[[str, str], str], name: str) -> None:
    assert "cannot be read" in error_for(name, "x" * 300)


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


@pytest.mark.parametrize("name", ["missing", "a file"])
def test_a_home_that_is_not_a_folder_is_reported(
    error_for: Callable[[str, str], str], tmp_path: Path, name: str
) -> None:
    (tmp_path / "a file").touch()
    assert f"there is no folder {tmp_path / name}" in error_for("THUMBS_HOME", str(tmp_path / name))


def test_a_blank_home_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUMBS_HOME", "  ")
    assert read_settings().data_dir == ROOT / "var"


def test_a_tilde_is_the_users_folder(
    monkeypatch: pytest.MonkeyPatch, error_for: Callable[[str, str], str], tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    (tmp_path / ".env").write_text(
        "DATA_DIR=~/data\nARTIFACT_STORE=~/models\nDATABASE_URL=sqlite:///~/thumbs.db\n", encoding="utf-8"
    )
    settings = read_settings()
    assert settings.data_dir == tmp_path / "user" / "data"
    assert settings.artifact_store == str(tmp_path / "user" / "models")
    assert settings.database_url == f"sqlite:///{tmp_path / 'user' / 'thumbs.db'}"
    for name in ("DATA_DIR", "THUMBS_HOME"):
        assert "~nobody-has-this-name/x names an unknown user" in error_for(name, "~nobody-has-this-name/x")
