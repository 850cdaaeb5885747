"""``thumbs key rotate`` as a user runs it."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from cli.main import app
from migrations.runner import upgrade
from storage.chat.people import upsert_person
from storage.db.database import Database
from storage.errors import KeyWrong


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
    assert "rows are encrypted with the newest key" in result.output
    with pytest.raises(KeyWrong):
        Database.open(url, [old])
    database = Database.open(url, [new])
    with database.unit_of_work() as unit:
        assert upsert_person(unit, 7, "Greta", "en").name == "Greta"
    database.close()
