"""When the network, Telegram or the bot process fails, a person still gets exactly one reply."""

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from bot_process import BotHome, running_bot, start_bot
from playground_process import running_playground
from sqlalchemy import select

from playground.client import PlaygroundClient
from storage.db.states import ReplyState, UpdateState
from storage.db.tables import ReplyRow, UpdateRow

REVIEW = "A splendid little book: clever, funny and kind. I have given it to all my friends."
LONG = " ".join([REVIEW] * 30)
_users = count(500)


@pytest.fixture(scope="module")
def shared_playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaygroundClient]:
    with running_playground(tmp_path_factory.mktemp("playground")) as client:
        yield client


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> BotHome:
    return BotHome.make(tmp_path_factory.mktemp("bot") / "var")


@pytest.fixture(scope="module")
def bot(shared_playground: PlaygroundClient, home: BotHome) -> Iterator[None]:
    with running_bot(home, shared_playground):
        yield


@pytest.fixture
def person() -> int:
    return next(_users)


def answers(chat: dict[str, Any]) -> list[dict[str, Any]]:
    return [message for message in chat["messages"] if message["from_bot"]]


def wait_for_answers(client: PlaygroundClient, person: int, number: int) -> list[dict[str, Any]]:
    return answers(client.wait_for_chat(lambda chat: len(answers(chat)) >= number, chat_id=person))


def wait_for_states(home: BotHome, person: int, *expected: ReplyState) -> None:
    """Wait until the replies to a person have these states, in order."""
    database = home.database()
    deadline = time.monotonic() + 30
    states: list[ReplyState] = []
    while states != list(expected):
        assert time.monotonic() < deadline, states
        with database.reading() as unit:
            states = list(unit.scalars(select(ReplyRow.state).where(ReplyRow.chat_id == person).order_by(ReplyRow.id)))
    database.close()


def expect_one_more(client: PlaygroundClient, person: int, before: int) -> None:
    """Send another text and check that it gets exactly one reply, after ``before`` earlier replies."""
    client.message("And a dreadful sequel, sadly: tired jokes, no heart, a waste of paper.", user_id=person)
    chat = client.wait_for_chat(
        lambda chat: "Negative" in (answers(chat) or [{"text": ""}])[-1]["text"], chat_id=person
    )
    assert len(answers(chat)) == before + 1


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(("kind", "details"), [("429", {"retry_after": 1}), ("500", {}), ("html_502", {})])
def test_a_temporarily_refused_reply_is_sent_later(
    shared_playground: PlaygroundClient, home: BotHome, person: int, kind: str, details: dict[str, int]
) -> None:
    shared_playground.fault(kind, "sendMessage", **details)
    shared_playground.message(REVIEW, user_id=person)
    assert "Positive" in wait_for_answers(shared_playground, person, 1)[0]["text"]
    wait_for_states(home, person, ReplyState.SENT)
    expect_one_more(shared_playground, person, 1)


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(("kind", "arrived"), [("answer_lost", 1), ("dropped_before", 0)])
def test_a_reply_that_may_have_arrived_is_never_sent_twice(
    shared_playground: PlaygroundClient, home: BotHome, person: int, kind: str, arrived: int
) -> None:
    shared_playground.fault(kind, "sendMessage")
    shared_playground.message(REVIEW, user_id=person)
    wait_for_states(home, person, ReplyState.UNCERTAIN)
    expect_one_more(shared_playground, person, arrived)
    wait_for_states(home, person, ReplyState.UNCERTAIN, ReplyState.SENT)


@pytest.mark.usefixtures("bot")
def test_an_answer_beside_an_uncertain_one_says_so_until_a_reply_reveals_the_old_message(
    shared_playground: PlaygroundClient, home: BotHome, person: int
) -> None:
    shared_playground.fault("answer_lost", "sendMessage")
    sent = shared_playground.message(REVIEW, user_id=person)
    wait_for_states(home, person, ReplyState.UNCERTAIN)
    shared_playground.edit(sent["message_id"], "A dreadful book: dull, clumsy and mean.", user_id=person)
    old, new = wait_for_answers(shared_playground, person, 2)
    assert "Positive" in old["text"]
    assert "Negative" in new["text"]
    assert "This replaces my earlier reply." in new["text"]
    shared_playground.message("Not that one?", user_id=person, reply_to=old["message_id"])
    chat = shared_playground.wait_for_chat(lambda chat: "Negative" in answers(chat)[0]["text"], chat_id=person)
    assert answers(chat)[0]["message_id"] == old["message_id"]


@pytest.mark.usefixtures("bot")
def test_an_edit_that_may_have_arrived_is_retried(shared_playground: PlaygroundClient, person: int) -> None:
    shared_playground.message(REVIEW, user_id=person)
    verdict = wait_for_answers(shared_playground, person, 1)[0]
    shared_playground.fault("dropped_before", "editMessageText")
    shared_playground.tap(verdict["message_id"], "✅ Right", user_id=person)
    shared_playground.wait_for_chat(lambda chat: "I'm right" in answers(chat)[0]["text"], chat_id=person)
    # The second reply is the question about consent, which no later fault may hit.
    wait_for_answers(shared_playground, person, 2)


@pytest.mark.usefixtures("bot")
def test_a_person_who_blocked_the_bot_does_not_disturb_it(
    shared_playground: PlaygroundClient, home: BotHome, person: int
) -> None:
    shared_playground.fault("403", "sendMessage")
    shared_playground.message(REVIEW, user_id=person)
    wait_for_states(home, person, ReplyState.FAILED)
    expect_one_more(shared_playground, person, 0)


@pytest.mark.usefixtures("bot")
def test_a_duplicate_update_is_answered_once(shared_playground: PlaygroundClient, person: int) -> None:
    shared_playground.fault("duplicate_update")
    shared_playground.message(REVIEW, user_id=person)
    wait_for_answers(shared_playground, person, 1)
    expect_one_more(shared_playground, person, 1)


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("kind", ["500", "409", "answer_lost", "html_502"])
def test_polling_continues_after_a_fault(shared_playground: PlaygroundClient, person: int, kind: str) -> None:
    shared_playground.fault(kind, "getUpdates", times=2)
    shared_playground.message(REVIEW, user_id=person)
    wait_for_answers(shared_playground, person, 1)
    expect_one_more(shared_playground, person, 1)


@pytest.mark.usefixtures("bot")
def test_edits_arrive_in_order_despite_faults(shared_playground: PlaygroundClient, person: int) -> None:
    shared_playground.message(REVIEW, user_id=person)
    number = wait_for_answers(shared_playground, person, 1)[0]["message_id"]
    shared_playground.fault("500", "editMessageText")
    for label in ("❌ Wrong", "✅ Right"):
        shared_playground.tap(number, label, user_id=person)
    shared_playground.wait_for_chat(lambda chat: "I'm right" in answers(chat)[0]["text"], chat_id=person)
    expect_one_more(shared_playground, person, len(wait_for_answers(shared_playground, person, 2)))
    assert "I'm right" in answers(shared_playground.chat(person))[0]["text"]


@pytest.mark.usefixtures("bot")
def test_a_text_edited_while_its_reply_is_pending_gets_one_message(
    shared_playground: PlaygroundClient, person: int
) -> None:
    shared_playground.fault("500", "sendMessage", times=2)
    sent = shared_playground.message(REVIEW, user_id=person)
    shared_playground.edit(sent["message_id"], "A dreadful book: dull, clumsy and mean.", user_id=person)
    shared_playground.wait_for_chat(
        lambda chat: bool(answers(chat)) and "Negative" in answers(chat)[0]["text"], chat_id=person
    )
    assert len(answers(shared_playground.chat(person))) == 1


@pytest.mark.usefixtures("bot")
def test_a_vote_counts_even_if_the_tap_cannot_be_answered(shared_playground: PlaygroundClient, person: int) -> None:
    shared_playground.message(REVIEW, user_id=person)
    number = wait_for_answers(shared_playground, person, 1)[0]["message_id"]
    shared_playground.fault("500", "answerCallbackQuery", times=3)
    shared_playground.tap(number, "❌ Wrong", user_id=person)
    shared_playground.wait_for_chat(lambda chat: "I'm wrong" in answers(chat)[0]["text"], chat_id=person)
    wait_for_answers(shared_playground, person, 2)
    shared_playground.clear_faults()


def test_a_bot_with_a_revoked_token_ends_with_one_sentence(playground: PlaygroundClient, tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    with start_bot(home, playground) as process:
        playground.fault("401", "getUpdates")
        playground.message(REVIEW, user_id=7)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert output.splitlines()[-1].startswith("The setting TELEGRAM_TOKEN cannot be used")


def test_a_pending_reply_is_sent_after_a_restart(playground: PlaygroundClient, tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    with running_bot(home, playground):
        last_call = playground.outbox()[-1]["seq"]
        playground.fault("429", "sendMessage", retry_after=300)
        playground.message(REVIEW, user_id=7)
        playground.wait_for_call("sendMessage", since=last_call)
        wait_for_states(home, 7, ReplyState.PENDING)
    with running_bot(home, playground):
        wait_for_answers(playground, 7, 1)
        expect_one_more(playground, 7, 1)


def test_a_bot_that_cannot_set_its_menu_still_answers_and_stops(playground: PlaygroundClient, tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    playground.fault("429", "setMyCommands", retry_after=300)
    playground.message(REVIEW, user_id=7)
    with start_bot(home, playground) as process:
        wait_for_answers(playground, 7, 1)
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_bot_that_never_reached_telegram_can_be_stopped(playground: PlaygroundClient, tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    playground.fault("500", "getMe", times=1000)
    with start_bot(home, playground) as process:
        playground.wait_for_call("getMe")
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_an_update_received_by_a_killed_bot_is_answered_after_a_restart(
    playground: PlaygroundClient, tmp_path: Path
) -> None:
    home = BotHome.make(tmp_path / "var")
    with running_bot(home, playground) as process:
        # The text is so long that the bot waits for a continuation. The test kills the bot after it has received the
        # text and before it replies.
        playground.message(LONG, user_id=7)
        while playground.status()["pending_updates"]:
            pass
        process.kill()
    assert answers(playground.chat(7)) == []
    with running_bot(home, playground):
        wait_for_answers(playground, 7, 1)
        expect_one_more(playground, 7, 1)
    database = home.database()
    with database.reading() as unit:
        assert set(unit.scalars(select(UpdateRow.state))) == {UpdateState.HANDLED}
    database.close()


def test_a_reply_being_sent_when_the_bot_is_killed_is_not_sent_twice(
    playground: PlaygroundClient, tmp_path: Path
) -> None:
    home = BotHome.make(tmp_path / "var")
    with running_bot(home, playground) as process:
        last_call = playground.outbox()[-1]["seq"]
        playground.fault("hang", "sendMessage")
        playground.message(REVIEW, user_id=7)
        playground.wait_for_call("sendMessage", since=last_call)
        process.kill()
    with running_bot(home, playground):
        expect_one_more(playground, 7, 0)
    wait_for_states(home, 7, ReplyState.UNCERTAIN, ReplyState.SENT)


def test_buttons_work_after_a_restart_and_messages_sent_meanwhile_are_answered(
    playground: PlaygroundClient, tmp_path: Path
) -> None:
    home = BotHome.make(tmp_path / "var")
    with running_bot(home, playground):
        playground.message(REVIEW, user_id=7)
        verdict = wait_for_answers(playground, 7, 1)[0]
    playground.tap(verdict["message_id"], "❌ Wrong", user_id=7)
    playground.message(REVIEW, user_id=8)
    with running_bot(home, playground):
        playground.wait_for_chat(lambda chat: "I'm wrong" in answers(chat)[0]["text"], chat_id=7)
        wait_for_answers(playground, 8, 1)


def test_a_bot_with_a_webhook_answers_too(playground: PlaygroundClient, tmp_path: Path, free_port: int) -> None:
    home = BotHome.make(tmp_path / "var")
    address = f"http://127.0.0.1:{free_port}/telegram"
    with running_bot(home, playground, WEBHOOK_URL=address, WEBHOOK_PORT=str(free_port)):
        assert playground.status()["bot"]["webhook"] == address
        playground.message(REVIEW, user_id=7)
        wait_for_answers(playground, 7, 1)
        expect_one_more(playground, 7, 1)
