"""``thumbs outbox`` lists, retries and drops replies."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from storage.chat.outbox import Draft, enqueue, is_pending, mark_failed, mark_sent, mark_uncertain
from storage.db.database import Database
from storage.db.states import ReplyState
from storage.db.tables import ReplyRow
from storage.errors import ReplyReplaced, ReplySettled, UnknownReply

Run = Callable[..., Result]
BOT, CHAT = 900, 7
SECRET = "A dreary evening, and the soup was cold."


@pytest.fixture
def run(database_url: str, keys: tuple[str, ...], tmp_path: Path) -> Run:
    """Return a function that runs a command and raises any ThumbsError."""

    def invoke(*arguments: str) -> Result:
        env = {"DATABASE_URL": database_url, "ENCRYPTION_KEY": keys[0], "DATA_DIR": str(tmp_path / "var")}
        result = CliRunner().invoke(app, ["outbox", *arguments], env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def replies(database: Database) -> dict[ReplyState, int]:
    """Store a reply in each state, and return their ids."""
    with database.unit_of_work() as unit:
        ids = {
            state: enqueue(unit, Draft(BOT, CHAT, {"text": SECRET}, answers=70 + number))
            for number, state in enumerate(ReplyState)
        }
        mark_sent(unit, ids[ReplyState.SENT], 55)
        mark_uncertain(unit, ids[ReplyState.UNCERTAIN], "ReadTimeout")
        mark_failed(unit, ids[ReplyState.FAILED], "Forbidden: bot was blocked by the user")
        unit.get_one(ReplyRow, ids[ReplyState.SENDING]).state = ReplyState.SENDING
    return ids


def state_of(database: Database, reply_id: int) -> ReplyState:
    with database.reading() as unit:
        return unit.get_one(ReplyRow, reply_id).state


def test_what_was_not_sent_is_listed_and_counted_without_its_text(run: Run, replies: dict[ReplyState, int]) -> None:
    listed = run("list")
    assert [int(line.split()[0]) for line in listed.stdout.splitlines()] == sorted(
        reply_id for state, reply_id in replies.items() if state is not ReplyState.SENT
    )
    assert "ReadTimeout" in listed.stdout
    assert listed.stderr == "1 pending, 1 sending, 1 uncertain, 1 failed.\n"
    assert SECRET not in listed.stdout


def test_the_list_is_json_too_and_can_be_restricted_to_a_state(run: Run, replies: dict[ReplyState, int]) -> None:
    result = json.loads(run("list", "--state", "uncertain", "--json").stdout)
    assert result["counts"] == dict.fromkeys(ReplyState, 1)
    (reply,) = result["replies"]
    assert reply["id"] == replies[ReplyState.UNCERTAIN]
    assert (reply["state"], reply["chat_id"], reply["reason"]) == ("uncertain", CHAT, "ReadTimeout")


@pytest.mark.parametrize("state", [ReplyState.UNCERTAIN, ReplyState.FAILED])
def test_a_retried_reply_is_pending_again(
    run: Run, replies: dict[ReplyState, int], database: Database, state: ReplyState
) -> None:
    result = run("retry", str(replies[state]), "--json")
    assert json.loads(result.stdout) == {"retried": [replies[state]]}
    assert state_of(database, replies[state]) is ReplyState.PENDING


@pytest.mark.parametrize("state", [ReplyState.UNCERTAIN, ReplyState.PENDING])
def test_a_dropped_reply_is_failed_and_says_why(
    run: Run, replies: dict[ReplyState, int], database: Database, state: ReplyState
) -> None:
    assert json.loads(run("drop", str(replies[state]), "--json").stdout) == {"dropped": [replies[state]]}
    assert state_of(database, replies[state]) is ReplyState.FAILED
    assert "dropped with thumbs outbox drop" in run("list", "--state", "failed").stdout


@pytest.mark.parametrize(("command", "state"), [("retry", ReplyState.SENT), ("drop", ReplyState.SENDING)])
def test_a_reply_in_another_state_is_left_and_so_are_the_others(
    run: Run, replies: dict[ReplyState, int], database: Database, command: str, state: ReplyState
) -> None:
    uncertain = replies[ReplyState.UNCERTAIN]
    with pytest.raises(ReplySettled, match=f"Reply {replies[state]} is {state}; only"):
        run(command, str(uncertain), str(replies[state]))
    assert state_of(database, uncertain) is ReplyState.UNCERTAIN


def test_an_unknown_reply_is_an_error(run: Run, database: Database) -> None:
    with pytest.raises(UnknownReply):
        run("retry", "5")
    with database.reading() as unit:
        assert not is_pending(unit, BOT, CHAT)


def test_a_reply_to_a_text_that_was_edited_is_not_retried(
    run: Run, replies: dict[ReplyState, int], database: Database
) -> None:
    uncertain = replies[ReplyState.UNCERTAIN]
    with database.unit_of_work() as unit:
        newer = enqueue(unit, Draft(BOT, CHAT, {"text": SECRET}, answers=72, revises=uncertain))
    with pytest.raises(ReplyReplaced, match=f"reply {newer} replaced it"):
        run("retry", str(uncertain))
