"""``thumbs key rotate`` and ``thumbs db check`` as a user runs them."""

from pathlib import Path

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from cli.main import app
from migrations.runner import upgrade
from storage.chat.inbox import receive
from storage.chat.people import upsert_person
from storage.db.database import Database
from storage.errors import BotsRunning, KeyWrong, RowsUndecipherable
from storage.models import instances
from storage.models.registry import register


def test_after_rotating_the_new_key_alone_opens_the_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'thumbs.db'}"
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    upgrade(url)
    database = Database.open(url, [old])
    with database.unit_of_work() as unit:
        upsert_person(unit, 7, "Greta", "en")
    database.close()
    result = CliRunner().invoke(app, ["key", "rotate"], env={"DATABASE_URL": url, "ENCRYPTION_KEY": f"{new},{old}"})
    assert result.exit_code == 0, result.output
    assert "Rows encrypted with the newest key: " in result.output
    with pytest.raises(KeyWrong):
        Database.open(url, [old])
    database = Database.open(url, [new])
    with database.unit_of_work() as unit:
        assert upsert_person(unit, 7, "Greta", "en").name == "Greta"
    database.close()


def command(url: str, keys: list[str], *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"DATABASE_URL": url, "ENCRYPTION_KEY": ",".join(keys)})


def key() -> str:
    return Fernet.generate_key().decode()


def test_keys_are_not_rotated_beside_a_running_bot(
    database: Database, database_url: str, keys: tuple[str, ...]
) -> None:
    with database.unit_of_work() as unit:
        register(unit, "one", "0" * 64, "models/one")
        upsert_person(unit, 7, "Greta", "en")
        for process in ("here:11", "there:12"):
            instances.acknowledge(unit, process, 900, "one")
    new = key()
    result = command(database_url, [new, *keys], "key", "rotate")
    assert isinstance(result.exception, BotsRunning)
    assert "here:11, there:12" in str(result.exception)
    assert command(database_url, list(keys), "db", "check").exit_code == 0, "nothing was rotated"
    with database.unit_of_work() as unit:
        for process in ("here:11", "there:12"):
            instances.deregister(unit, process)
    assert command(database_url, [new, *keys], "key", "rotate").exit_code == 0
    assert command(database_url, [new], "db", "check").exit_code == 0


def test_a_bot_that_starts_with_the_old_key_while_the_keys_are_rotated_does_not_serve(
    database: Database, database_url: str, keys: tuple[str, ...]
) -> None:
    with database.unit_of_work() as unit:
        register(unit, "one", "0" * 64, "models/one")
    command(database_url, [key(), *keys], "key", "rotate")
    with pytest.raises(KeyWrong), database.unit_of_work() as unit:
        instances.acknowledge(unit, "here:11", 900, "one")
    with database.reading() as unit:
        assert instances.live_instances(unit) == []


@pytest.mark.parametrize("table", ["people", "updates"])
def test_the_check_samples_every_encrypted_table_with_the_newest_key(
    database: Database, database_url: str, keys: tuple[str, ...], table: str
) -> None:
    new = key()
    assert command(database_url, [new, *keys], "key", "rotate").exit_code == 0
    # Writes as a bot with the old key would.
    with database.unit_of_work() as unit:
        if table == "people":
            upsert_person(unit, 7, "Greta", "en")
        else:
            receive(unit, 900, 1, 7, "payload")
    both = command(database_url, [new, *keys], "db", "check")
    assert both.exit_code == 0
    assert f"an older key: {table}." in both.stderr
    only_new = command(database_url, [new], "db", "check")
    assert isinstance(only_new.exception, RowsUndecipherable)
    assert str(only_new.exception).startswith(f"The encryption key cannot decrypt rows in these tables: {table}.")
    assert command(database_url, [new, *keys], "key", "rotate").exit_code == 0
    assert "older key" not in command(database_url, [new, *keys], "db", "check").stderr


def test_every_working_folder_has_the_same_database(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"THUMBS_HOME": str(tmp_path), "DATA_DIR": "data", "ENCRYPTION_KEY": Fernet.generate_key().decode()}
    for arguments in (["db", "upgrade"], ["db", "check"]):
        folder = tmp_path_factory.mktemp("elsewhere")
        monkeypatch.chdir(folder)
        result = CliRunner().invoke(app, arguments, env=environment)
        assert result.exit_code == 0, result.output
        assert not list(folder.iterdir())
    assert (tmp_path / "data" / "thumbs.db").is_file()
