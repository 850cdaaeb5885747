"""``thumbs updates`` lists, shows, retries and drops updates."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import select
from typer.testing import CliRunner

from cli.main import app
from storage.chat.inbox import MAX_ATTEMPTS, fail, finish, receive
from storage.chat.troubles import TroubleKind, claim_report
from storage.db.database import Database
from storage.db.states import UpdateState
from storage.db.tables import UpdateRow
from storage.errors import SeveralUpdates, UnknownUpdate, UpdateNotFailed

Run = Callable[..., Result]
BOT, OTHER_BOT, PERSON = 900, 901, 7
SECRET = "An evening of good songs."
PAYLOAD = json.dumps({"update_id": 2, "message": {"text": SECRET}})
HANDLED, FAILED, PENDING = 1, 2, 3


@pytest.fixture
def run(database_url: str, keys: tuple[str, ...], tmp_path: Path) -> Run:
    """Return a function that runs a command and raises any ThumbsError."""

    def invoke(*arguments: str) -> Result:
        env = {"DATABASE_URL": database_url, "ENCRYPTION_KEY": keys[0], "DATA_DIR": str(tmp_path / "var")}
        result = CliRunner().invoke(app, ["updates", *arguments], env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture(autouse=True)
def updates(database: Database) -> None:
    """Store a handled, a failed and a pending update. The admins have been notified of the failed update."""
    with database.unit_of_work() as unit:
        for number in (HANDLED, FAILED, PENDING):
            receive(unit, BOT, number, PERSON, PAYLOAD)
        finish(unit, BOT, HANDLED)
        for _ in range(MAX_ATTEMPTS):
            fail(unit, BOT, FAILED, f"KeyError('{SECRET}')")
        claim_report(unit, BOT, TroubleKind.UPDATE_FAILED)


def row_of(database: Database, update_id: int) -> UpdateRow:
    with database.reading() as unit:
        return unit.scalars(select(UpdateRow).where(UpdateRow.update_id == update_id)).one()


def admins_know(database: Database) -> bool:
    with database.unit_of_work() as unit:
        return not claim_report(unit, BOT, TroubleKind.UPDATE_FAILED)


def test_pending_and_failed_updates_are_listed_without_their_texts(run: Run) -> None:
    listed = run("list")
    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [["2", "failed"], ["3", "received"]]
    assert "KeyError" in listed.stdout
    assert listed.stderr == "1 received, 1 failed.\n"
    assert SECRET not in listed.stdout
    assert SECRET not in run("list", "--json").stdout


def test_the_list_is_json_too_and_can_be_restricted_to_a_state(run: Run) -> None:
    (update,) = json.loads(run("list", "--state", "failed", "--json").stdout)
    assert (update["update_id"], update["bot_id"], update["attempts"]) == (FAILED, BOT, MAX_ATTEMPTS)
    assert (update["state"], update["error"]) == ("failed", "KeyError")


def test_one_update_is_shown_with_its_content_and_its_last_error(run: Run) -> None:
    shown = run("show", str(FAILED)).stdout
    assert PAYLOAD in shown
    assert f"KeyError('{SECRET}')" in shown
    found = json.loads(run("show", str(FAILED), "--json").stdout)
    assert (found["payload"], found["reason"]) == (PAYLOAD, f"KeyError('{SECRET}')")


def test_a_retried_update_has_all_its_attempts_again(run: Run, database: Database) -> None:
    assert json.loads(run("retry", str(FAILED), "--json").stdout) == {"retried": [FAILED]}
    row = row_of(database, FAILED)
    assert (row.state, row.attempts, row.reason) == (UpdateState.RECEIVED, 0, None)
    assert not admins_know(database)


@pytest.mark.parametrize("update_id", [FAILED, PENDING])
def test_a_dropped_update_keeps_only_its_id(run: Run, database: Database, update_id: int) -> None:
    assert json.loads(run("drop", str(update_id), "--json").stdout) == {"dropped": [update_id]}
    row = row_of(database, update_id)
    assert (row.state, row.payload, row.telegram_id) == (UpdateState.HANDLED, None, None)
    assert not admins_know(database)


def test_a_pending_update_is_not_retried_and_neither_are_the_others(run: Run, database: Database) -> None:
    with pytest.raises(UpdateNotFailed, match="Update 3 is received; only failed updates can be retried"):
        run("retry", str(FAILED), str(PENDING))
    assert row_of(database, FAILED).state is UpdateState.FAILED
    assert admins_know(database)


@pytest.mark.parametrize("command", ["show", "retry", "drop"])
@pytest.mark.parametrize("update_id", [HANDLED, 99])
def test_an_update_that_is_not_unfinished_is_unknown(run: Run, command: str, update_id: int) -> None:
    with pytest.raises(UnknownUpdate, match=f"no unfinished update {update_id}"):
        run(command, str(update_id))


def test_the_bot_is_chosen_if_several_have_an_update_with_this_id(run: Run, database: Database) -> None:
    with database.unit_of_work() as unit:
        receive(unit, OTHER_BOT, FAILED, PERSON, PAYLOAD)
    with pytest.raises(SeveralUpdates, match="900, 901"):
        run("drop", str(FAILED))
    run("drop", str(FAILED), "--bot", str(BOT))
    with database.reading() as unit:
        states = dict(
            unit.execute(select(UpdateRow.bot_id, UpdateRow.state).where(UpdateRow.update_id == FAILED)).all()
        )
    assert states == {BOT: UpdateState.HANDLED, OTHER_BOT: UpdateState.RECEIVED}
