"""Database errors show the statement but never its values, and addresses are checked."""

import socket
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, DBAPIError

from core.errors import BadSetting
from migrations import runner
from storage.db import engine
from storage.db.database import Database
from storage.db.engine import parse_address, reachable, reading_engine, writing_engine
from storage.errors import DatabaseUnusable


@pytest.mark.parametrize("view", [writing_engine, lambda address: reading_engine(writing_engine(address))])
def test_an_error_of_the_database_shows_no_values(tmp_path: Path, view: object) -> None:
    assert callable(view)
    opened = view(parse_address(f"sqlite:///{tmp_path / 'thumbs.db'}"))
    with opened.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT * FROM nowhere WHERE person = :person"), {"person": "Grace, 4711"})
    assert "nowhere" in str(caught.value)
    assert "4711" not in str(caught.value)


def test_postgresql_hides_values_too() -> None:
    assert writing_engine(parse_address("postgresql://localhost/thumbs")).hide_parameters


# Passwords with characters that need percent-encoding. Errors must not show any part of such a password.
@pytest.mark.parametrize(
    "password",
    [
        "secr@tpw",
        "se:cr@tpw",
        "se@cr:tpw",
        "se@cr/tpw",
        "se@cr?tpw",
        "se@cr#tpw",
        "a@b@tpw",
        "se]cr[tpw@x",
        "secr@[tpw",
    ],
)
@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres"])
def test_a_password_that_needs_encoding_is_named_as_the_reason_but_not_shown(scheme: str, password: str) -> None:
    with pytest.raises(BadSetting) as caught:
        parse_address(f"{scheme}://u:{password}@127.0.0.1:5999/db")
    assert "percent-encoded" in str(caught.value)
    assert "tpw" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("address", ["postgresql://db:abc/thumbs", "postgresql://db:99999999/thumbs", "sqlite:///a?1"])
def test_an_address_with_an_unusable_part_is_a_bad_setting(address: str) -> None:
    with pytest.raises(BadSetting, match="DATABASE_URL"):
        parse_address(address)


def test_the_address_that_hosts_hand_out_is_postgresql() -> None:
    address = parse_address("postgres://u:p%40w@db:5433/thumbs?sslmode=require&application_name=a@b")
    assert address.drivername == "postgresql+psycopg"
    assert (address.password, address.host, address.port) == ("p@w", "db", 5433)


def test_an_error_shows_no_password_of_the_query() -> None:
    address = parse_address("postgresql://127.0.0.1/thumbs?user=u&password=secret")
    with pytest.raises(DatabaseUnusable) as caught, reachable(address):
        raise ConnectionRefusedError(111, "Connection refused")
    assert "secret" not in str(caught.value)


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engine.POSTGRES_TIMEOUTS, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/thumbs"
        with pytest.raises(DatabaseUnusable, match="timeout"):
            Database.open(address, [Fernet.generate_key().decode()])


@pytest.mark.parametrize("open_or_migrate", [lambda url: Database.open(url, []), runner.upgrade, runner.current])
def test_a_file_that_cannot_be_looked_up_is_an_error(tmp_path: Path, open_or_migrate: Callable[[str], object]) -> None:
    with pytest.raises(DatabaseUnusable, match="name too long"):
        open_or_migrate(f"sqlite:///{tmp_path}/{'x' * 300}/thumbs.db")


def test_a_server_that_vanishes_is_noticed_unless_the_address_says_otherwise() -> None:
    with patch("psycopg.connect", side_effect=psycopg.OperationalError("refused")) as connect:
        for query in ("", "?keepalives_idle=5"):
            made = writing_engine(parse_address(f"postgresql://u@127.0.0.1/thumbs{query}"))
            with pytest.raises(DatabaseError):
                made.connect()
    by_default, given = (call.kwargs for call in connect.call_args_list)
    assert {"connect_timeout", "keepalives_idle", "tcp_user_timeout"} <= set(by_default)
    assert str(given["keepalives_idle"]) == "5"
