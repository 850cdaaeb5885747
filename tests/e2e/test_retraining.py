"""Admins start, follow, cancel and decide on training runs in the chat. The test plays the worker."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bot_process import BotHome, running_bot
from playground_process import running_playground
from sqlalchemy import select

from ml.evaluation.paired_counts import PairedCounts
from playground.client import PlaygroundClient
from storage.db.database import Database
from storage.db.states import ReplyState, RunKind, RunState, Trigger
from storage.db.tables import ReplyRow
from storage.models import registry
from storage.training import runs
from storage.training.runs import Lease, Run, RunProgress
from worker.gate.chart import draw_chart
from worker.gate.decision import GateBounds, decide
from worker.gate.measurements import Measurements, PairedResult, VoteEvidence

ADA, CLEO, BEN = 1, 3, 2
ADMINS = f"{ADA},{CLEO}"
MEASURED = Measurements(
    imdb=None,
    judgements=VoteEvidence.equally_weighted(PairedCounts(20, 12, 15, 1, 4)),
    behaviour={"negation": PairedResult(43, 40, 41, 0, 1, 0.0)},
    slices={},
    trigger_words=(),
)
HELD = decide(MEASURED, GateBounds(0.003, 0.95, 0.02, 0.01, auto_promote=True))
CARD = draw_chart(HELD, MEASURED)
# The buttons under the card of a candidate that was held.
OFFERED = ["Promote on trial", "Promote", "Wait for 47 more votes"]

Message = dict[str, Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaygroundClient]:
    with running_playground(tmp_path_factory.mktemp("playground")) as started:
        yield started


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, client: PlaygroundClient) -> Iterator[Database]:
    """The database of a running bot with two admins."""
    home = BotHome.make(tmp_path_factory.mktemp("bot") / "var")
    with running_bot(home, client, ADMIN_IDS=ADMINS):
        opened = home.database()
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def reset_playground(client: PlaygroundClient) -> None:
    client.reset()


def answers(chat: Message) -> list[Message]:
    return [message for message in chat["messages"] if message["from_bot"]]


def last(chat: Message) -> Message:
    return (answers(chat) or [{"buttons": []}])[-1]


def words(message: Message) -> str:
    return str(message.get("text") or message.get("caption") or "")


def buttons(message: Message) -> list[str]:
    return [button["text"] for row in message["buttons"] for button in row]


def wait_for(client: PlaygroundClient, matches: Callable[[Message], bool], person: int = ADA) -> Message:
    """Wait until the bot's newest message is as expected, and return the message."""
    return last(client.wait_for_chat(lambda chat: bool(answers(chat)) and matches(last(chat)), chat_id=person))


def shows(text: str, *labels: str) -> Callable[[Message], bool]:
    return lambda message: text in words(message) and buttons(message) == list(labels)


def open_run(database: Database) -> Run:
    with database.reading() as unit:
        run = runs.open_run(unit)
    assert run is not None
    return run


def claim_run(database: Database) -> Lease:
    """Claim the open run as a worker would, and record the champion."""
    with database.unit_of_work() as unit:
        run, live = runs.open_run(unit), registry.live_model(unit)
        assert run is not None
        assert live is not None
        lease = runs.claim(unit, run.id, "the test")
        assert lease is not None
        runs.record_snapshot(unit, lease, live.version)
    return lease


def report(database: Database, lease: Lease, step: int) -> None:
    with database.unit_of_work() as unit:
        runs.record_progress(unit, lease, RunProgress(step, 40, 4, 18.4))


def finish_held(database: Database, lease: Lease, candidate: str, card: bytes | None = CARD) -> None:
    """Finish the run with a candidate that the gate held, and register the candidate."""
    with database.unit_of_work() as unit:
        registry.register(unit, candidate, "0" * 64, f"run-{candidate}", lease.run.id)
        decision = HELD.record()
        runs.finish(unit, lease, RunState.HELD, candidate=candidate, decision=decision, card=card)


def wait_until_sent(database: Database) -> None:
    """Wait until the bot has recorded its message as sent. A bot killed before then would send it again."""
    deadline = time.monotonic() + 30
    states: list[ReplyState] = []
    while states != [ReplyState.SENT]:
        assert time.monotonic() < deadline, states
        with database.reading() as unit:
            states = list(unit.scalars(select(ReplyRow.state)))


def state_of(database: Database, run_id: int) -> RunState:
    with database.reading() as unit:
        return runs.get_run(unit, run_id).state


def test_a_run_is_followed_in_one_message_and_decided_on_its_card(client: PlaygroundClient, database: Database) -> None:
    with database.reading() as unit:
        champion = registry.live_model(unit)
    client.message("/retrain full", user_id=ADA)
    wait_for(client, shows("Waiting for a worker", "Cancel"))
    lease = claim_run(database)
    wait_for(client, shows("Preparing the training set.", "Cancel"))
    report(database, lease, 10)
    progress = wait_for(client, shows("25%", "Cancel"))
    assert "Epoch 1 of 4 · step 10 of 40 · 18 reviews per second" in words(progress)
    with database.unit_of_work() as unit:
        runs.set_state(unit, lease, RunState.EVALUATING)
    wait_for(client, shows("Comparing the new model", "Cancel"))
    finish_held(database, lease, "candidate-one")
    card = wait_for(client, lambda message: "photo" in message)
    followed, _ = answers(client.chat(ADA))
    assert followed["message_id"] == progress["message_id"]
    assert HELD.sentence in words(followed)
    assert buttons(followed) == []
    assert HELD.sentence in words(card)
    assert "candidate-one" in words(card)
    file_id = card["photo"][-1]["file_id"]
    assert httpx.get(f"{client.url}/sim/file/{file_id}").content == CARD

    def tap(label: str) -> None:
        client.tap(card["message_id"], label, user_id=ADA)

    tap("Promote")
    wait_for(client, shows("Make the new model live?", "Yes, promote it", "Not now"))
    tap("Not now")
    wait_for(client, shows("candidate-one", *OFFERED))
    tap("Promote")
    wait_for(client, shows("Make the new model live?", "Yes, promote it", "Not now"))
    tap("Yes, promote it")
    # This candidate has no files, so the bot notifies its admin and keeps the champion.
    wait_for(client, shows("I couldn't load the promoted model candidate-one"))
    _, decided, _ = answers(client.chat(ADA))
    assert "candidate-one has been promoted." in words(decided)
    assert buttons(decided) == []
    with database.unit_of_work() as unit:
        live, change = registry.live_model(unit), registry.changes(unit, 1)[0]
        assert (live and live.version, change.who) == ("candidate-one", ADA)
        # The champion is restored for later tests.
        assert champion is not None
        registry.make_live(unit, champion.version, "the test goes on")


def test_a_card_of_a_candidate_that_is_already_live_says_so(client: PlaygroundClient, database: Database) -> None:
    client.message("/retrain full", user_id=ADA)
    wait_for(client, shows("Waiting for a worker", "Cancel"))
    lease = claim_run(database)
    finish_held(database, lease, "candidate-two")
    card = wait_for(client, lambda message: "photo" in message and buttons(message) == OFFERED)
    with database.unit_of_work() as unit:
        before = registry.live_model(unit)
        assert before is not None
        registry.make_live(unit, "candidate-two", "another admin was faster")
    client.tap(card["message_id"], "Promote", user_id=ADA)
    wait_for(client, shows("I couldn't load the promoted model candidate-two"))
    client.wait_for_chat(
        lambda chat: any("candidate-two has already been promoted." in words(message) for message in answers(chat)),
        chat_id=ADA,
    )
    with database.unit_of_work() as unit:
        registry.make_live(unit, before.version, "the test goes on")


def test_cancelling_is_confirmed_in_place(client: PlaygroundClient, database: Database) -> None:
    client.message("/retrain full", user_id=ADA)
    message = wait_for(client, shows("Full run", "Cancel"))
    run = open_run(database)
    lease = claim_run(database)

    def tap(label: str) -> None:
        client.tap(message["message_id"], label, user_id=ADA)

    tap("Cancel")
    wait_for(client, shows("Full run", "Yes, cancel it", "Keep it running"))
    # The question is still shown while the run makes progress.
    report(database, lease, 20)
    wait_for(client, shows("50%", "Yes, cancel it", "Keep it running"))
    tap("Keep it running")
    wait_for(client, shows("50%", "Cancel"))
    assert not open_run(database).cancel_asked
    tap("Cancel")
    wait_for(client, shows("50%", "Yes, cancel it", "Keep it running"))
    tap("Yes, cancel it")
    wait_for(client, shows("Cancelling …"))
    with database.unit_of_work() as unit:
        assert runs.renew(unit, lease)
        runs.finish(unit, lease, RunState.CANCELLED)
    wait_for(client, shows("Cancelled. The live model hasn't changed."))
    assert state_of(database, run.id) is RunState.CANCELLED
    assert len(answers(client.chat(ADA))) == 1


def test_a_second_admin_joins_and_both_are_notified_of_the_failure(
    client: PlaygroundClient, database: Database
) -> None:
    client.message("/retrain full", user_id=ADA)
    wait_for(client, shows("Waiting for a worker", "Cancel"))
    run = open_run(database)
    client.message("/retrain full", user_id=CLEO)
    wait_for(client, shows("Waiting for a worker", "Cancel"), CLEO)
    assert "A run is already in progress" in words(answers(client.chat(CLEO))[0])
    assert open_run(database).id == run.id
    with database.unit_of_work() as unit:
        lease = runs.claim(unit, run.id, "the test")
        assert lease is not None
        runs.finish(unit, lease, RunState.FAILED, error="The disk is full & the <moon> too.")
    for person in (ADA, CLEO):
        wait_for(client, shows("It failed: The disk is full & the <moon> too."), person)


def test_admins_who_do_not_follow_a_run_are_notified_of_its_result(
    client: PlaygroundClient, database: Database
) -> None:
    for person in (ADA, CLEO):
        client.message("/start", user_id=person)
        wait_for(client, lambda message: "Hi " in words(message), person)
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.CORRECTIONS).run
    finish_held(database, claim_run(database), "candidate-three", card=None)
    for person in (ADA, CLEO):
        message = wait_for(client, shows(f"Feedback round {run.number}", *OFFERED), person)
        assert HELD.sentence in words(message)
    assert answers(client.chat(BEN)) == []


def test_the_command_does_not_exist_for_others(client: PlaygroundClient, database: Database) -> None:
    client.message("/retrain", user_id=BEN)
    wait_for(client, shows("I don't know that command."), BEN)
    with database.reading() as unit:
        assert runs.open_run(unit) is None
    before = last_call(client)
    client.message("/help", user_id=CLEO)
    if "retrain" not in menu(client, CLEO):
        client.wait_for_call("setMyCommands", since=before)
    assert "retrain" in menu(client, CLEO)
    assert "retrain" not in menu(client, BEN)
    assert menu(client, BEN) < menu(client, CLEO)


def test_an_admin_has_the_menu_after_the_first_message_until_no_longer_an_admin(tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    with running_playground(tmp_path / "playground") as client:
        with running_bot(home, client, ADMIN_IDS=ADMINS):
            assert "retrain" not in menu(client, ADA), "a chat has no menu before the first message"
            before = last_call(client)
            client.message("/retrain full", user_id=ADA)
            client.wait_for_call("setMyCommands", since=before)
            assert "retrain" in menu(client, ADA)
            wait_for(client, shows("Waiting for a worker", "Cancel"))
        with running_bot(home, client, ADMIN_IDS=str(CLEO)):
            assert "retrain" not in menu(client, ADA)


def last_call(client: PlaygroundClient) -> int:
    """Return the sequence number of the bot's newest call."""
    return max((call["seq"] for call in client.outbox()), default=0)


def menu(client: PlaygroundClient, person: int) -> set[str]:
    """Return the commands that a person sees."""
    about = httpx.get(f"{client.url}/sim/about", params={"user_id": person}).json()["bot"]
    return {command["command"] for command in about["commands"]}


def test_a_run_is_followed_across_a_crash_of_the_bot(tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    database = home.database()
    with running_playground(tmp_path / "playground") as client:
        with running_bot(home, client, ADMIN_IDS=ADMINS) as process:
            client.message("/retrain full", user_id=ADA)
            message = wait_for(client, shows("Waiting for a worker", "Cancel"))
            wait_until_sent(database)
            process.kill()
        lease = claim_run(database)
        report(database, lease, 30)
        with running_bot(home, client, ADMIN_IDS=ADMINS):
            wait_for(client, shows("75%", "Cancel"))
            finish_held(database, lease, "candidate")
            wait_for(client, lambda newest: "photo" in newest)
        followed, _ = answers(client.chat(ADA))
    assert followed["message_id"] == message["message_id"]
    assert HELD.sentence in words(followed)
    database.close()
