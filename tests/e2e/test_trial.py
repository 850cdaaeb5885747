"""An admin puts a held model on trial, and votes against it bring back the old model. The test acts as the worker."""

import threading
import time
from pathlib import Path
from typing import Any

from bot_process import BotHome, running_bot
from contrary_model import CONTRARY, SHIPPED, finish_held
from playground_process import running_playground

from playground.client import PlaygroundClient
from storage.db.database import Database
from storage.models import instances, trials
from worker.gate.trial import TrialStep
from worker.runs.trial_check import check_trial

ADA = 1
REVIEWS = [
    f"The {name} was a joy: funny, warm and brilliantly acted. I would gladly see it again."
    for name in ("film", "play", "musical", "opera", "concert")
]

Message = dict[str, Any]


def answers(chat: Message) -> list[Message]:
    return [message for message in chat["messages"] if message["from_bot"]]


def wait_for(client: PlaygroundClient, text: str) -> Message:
    """Wait until one of the bot's messages contains the text, and return the newest such message."""
    chat = client.wait_for_chat(lambda chat: any(text in seen["text"] for seen in answers(chat)), chat_id=ADA)
    return [seen for seen in answers(chat) if text in seen["text"]][-1]


def vote_wrong(client: PlaygroundClient, review: str) -> None:
    """Send a review, and tap Wrong under the verdict."""
    sent = client.message(review, user_id=ADA)["message_id"]

    def verdicts(chat: Message) -> list[Message]:
        return [seen for seen in answers(chat) if seen["message_id"] > sent and "Negative" in seen["text"]]

    chat = client.wait_for_chat(lambda chat: bool(verdicts(chat)), chat_id=ADA)
    client.tap(verdicts(chat)[0]["message_id"], "❌ Wrong", user_id=ADA)


def test_votes_against_a_model_on_trial_bring_the_old_one_back(tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "bot")
    database = home.database()
    settings = home.settings.model_copy(update={"admin_ids": (ADA,)})
    with running_playground(tmp_path / "playground") as client, running_bot(home, client, ADMIN_IDS=str(ADA)):
        client.message("/retrain full", user_id=ADA)
        wait_for(client, "Waiting for a worker")
        finish_held(home, database)
        card = wait_for(client, "new votes decide whether it stays. Or you can promote it")
        client.tap(card["message_id"], "Promote on trial", user_id=ADA)
        wait_for(client, f"{SHIPPED} comes back automatically.")
        client.tap(card["message_id"], "Yes, try it", user_id=ADA)
        wait_for(client, f"{CONTRARY} is going on trial in place of {SHIPPED}.")
        wait_for(client, f"is on trial in place of {SHIPPED}. New votes")
        wait_until_served(database, CONTRARY)
        for number, review in enumerate(REVIEWS, 1):
            assert check_trial(database, settings) is TrialStep.CONTINUE
            vote_wrong(client, review)
            wait_for_votes(client, number)
        assert check_trial(database, settings) is TrialStep.ROLL_BACK
        notice = wait_for(client, f"has been rolled back after its trial, and {SHIPPED} is live again.")
        assert "it was right 0 times and the earlier model 5 times" in notice["text"]
        wait_until_served(database, SHIPPED)
    with database.reading() as unit:
        (trial,) = trials.trials(unit)
        assert (trial.started_by, trial.ended_by, trial.votes.texts) == (ADA, None, 5)
        assert instances.live_instances(unit) == []
    database.close()


def wait_until_served(database: Database, version: str) -> None:
    """Wait until the bot reports that it is answering with this version."""
    deadline = time.monotonic() + 30
    while True:
        with database.reading() as unit:
            (bot,) = instances.live_instances(unit)
        if bot.version == version:
            return
        assert time.monotonic() < deadline, bot
        threading.Event().wait(0.05)


def wait_for_votes(client: PlaygroundClient, count: int) -> None:
    """Wait until the bot has thanked people for this many votes."""
    client.wait_for_chat(
        lambda chat: sum("Thank you for the correction!" in seen["text"] for seen in answers(chat)) >= count,
        chat_id=ADA,
    )
