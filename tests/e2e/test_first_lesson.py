"""The demo's lesson with a real bot, from the first correction to a changed verdict. The test acts as the worker."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from bot_process import BotHome, running_bot
from contrary_model import finish_held
from playground_process import running_playground

from bot.texts import FALLBACK, fill, texts_for
from cli.demo.lesson import ADA, ASKED, BEN, CLEO, CORRECTED, first_lesson
from playground.client import PlaygroundClient

TEXTS = texts_for(FALLBACK)
Message = dict[str, Any]


def buttons(message: Message) -> list[str]:
    return [button["text"] for row in message["buttons"] for button in row]


def current_step(client: PlaygroundClient) -> str | None:
    step: str | None = httpx.get(f"{client.url}/sim/lesson").json()["current"]
    return step


def wait_for_step(client: PlaygroundClient, step: str | None, person: int) -> None:
    client.wait_for_chat(lambda _: current_step(client) == step, chat_id=person)


def wait_for(
    client: PlaygroundClient, person: int, matches: Callable[[Message], bool], count: int = 1
) -> list[Message]:
    """Wait until this many of the bot's messages match, and return them."""

    def matching(chat: Message) -> list[Message]:
        return [message for message in chat["messages"] if message["from_bot"] and matches(message)]

    return matching(client.wait_for_chat(lambda chat: len(matching(chat)) >= count, chat_id=person))


def tap(client: PlaygroundClient, person: int, label: str) -> None:
    """Tap the newest button with this label as soon as it is there."""
    message = wait_for(client, person, lambda shown: label in buttons(shown))[-1]
    client.tap(message["message_id"], label, user_id=person)


def correct(client: PlaygroundClient) -> None:
    """Send Ben's reviews and tap Wrong below each verdict."""
    for text in CORRECTED:
        client.message(text, user_id=BEN)
    for verdict in wait_for(client, BEN, lambda shown: TEXTS.button_wrong in buttons(shown), len(CORRECTED)):
        client.tap(verdict["message_id"], TEXTS.button_wrong, user_id=BEN)


def confirm(client: PlaygroundClient) -> None:
    """Label Ben's reviews as Ada, and answer the check question."""
    client.message(f"/label {len(CORRECTED) + 1}", user_id=ADA)
    tap(client, ADA, TEXTS.button_consent_yes)
    answered: list[str] = []
    while len(answered) <= len(CORRECTED):
        question = wait_for(
            client, ADA, lambda shown: TEXTS.button_positive in buttons(shown) and shown["text"] not in answered
        )[-1]
        answered.append(question["text"])
        is_praise = any(text in question["text"] for text in CORRECTED)
        label = TEXTS.button_positive if is_praise else TEXTS.button_negative
        client.tap(question["message_id"], label, user_id=ADA)


def ask(client: PlaygroundClient) -> None:
    """Send Cleo's reviews."""
    for text in ASKED:
        client.message(text, user_id=CLEO)


def test_the_lesson_leads_from_five_corrections_to_changed_verdicts(tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "bot")
    database = home.database()
    with (
        running_playground(tmp_path / "playground", lesson=first_lesson()) as client,
        running_bot(home, client, ADMIN_IDS=str(ADA)),
    ):
        assert current_step(client) == "correct"
        correct(client)
        wait_for_step(client, "consent", BEN)
        tap(client, BEN, TEXTS.button_consent_yes)
        wait_for_step(client, "confirm", BEN)
        confirm(client)
        wait_for_step(client, "before", ADA)
        ask(client)
        wait_for_step(client, "retrain", CLEO)
        client.message("/retrain", user_id=ADA)
        forecast = fill(TEXTS.forecast_few, usable=len(CORRECTED))
        wait_for(client, ADA, lambda shown: forecast in shown.get("text", ""))
        wait_for(client, ADA, lambda shown: TEXTS.run_queued in shown.get("text", ""))
        finish_held(home, database)
        tap(client, ADA, TEXTS.button_try)
        tap(client, ADA, TEXTS.button_try_yes)
        wait_for_step(client, "after", ADA)
        ask(client)
        wait_for_step(client, None, CLEO)
    database.close()
