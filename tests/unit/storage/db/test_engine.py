"""Errors of the database show the statement but never its values."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.db.engine import parse_address, reading_engine, writing_engine


@pytest.mark.parametrize("view", [writing_engine, lambda address: reading_engine(writing_engine(address))])
def test_an_error_of_the_database_shows_no_values(tmp_path: Path, view: object) -> None:
    assert callable(view)
    engine = view(parse_address(f"sqlite:///{tmp_path / 'thumbs.db'}"))
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT * FROM nowhere WHERE person = :person"), {"person": "Grace, 4711"})
    assert "nowhere" in str(caught.value)
    assert "4711" not in str(caught.value)


def test_postgresql_hides_values_too() -> None:
    assert writing_engine(parse_address("postgresql://localhost/thumbs")).hide_parameters
