"""The admin's side of a training run: ``/retrain`` in the chat, and what the chat shows until the decision."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx

from benchmarks.learning.people import TEXTS
from playground.client import PlaygroundClient
from playground.state.people import ADMIN_ID
from playground.wire import JsonObject

# Seconds that a run may take here.
_LONGEST: Final = 1_800.0
# What the message that follows the run shows, by what it contains, in the order of a run.
_STAGES: Final = {
    "taken by a worker": TEXTS.run_preparing,
    "training": TEXTS.run_training.partition("\n")[2].partition("{")[0],
    "measuring": TEXTS.run_evaluating,
}
_FAILED: Final = TEXTS.run_failed.partition("{")[0]
# What the card says once its model answers.
_PROMOTED: Final = TEXTS.card_promoted.partition("}")[2]
# How the card of a model begins that an admin who believes it promotes: held, for too few judgements or for its words.
HELD_BETTER: Final = "Held: better on feedback"


@dataclass(slots=True)
class Followed:
    """What the admin saw: ``started`` is ``time.time()`` of ``/retrain``, and ``seen`` seconds from then to each stage.

    ``decision`` is the card's caption, ``card`` its PNG, ``message_id`` the message that both are in.
    """

    started: float
    seen: dict[str, float] = field(default_factory=dict)
    decision: str = ""
    card: bytes = b""
    message_id: int = 0

    @property
    def worth_a_tap(self) -> bool:
        """Whether the model waits for an admin, and did better on what people said."""
        return HELD_BETTER in self.decision

    def note(self, stage: str) -> None:
        """A stage is seen now, for the first time or again."""
        self.seen.setdefault(stage, round(time.time() - self.started, 1))


def retrain(client: PlaygroundClient) -> Followed:
    """Send ``/retrain`` and follow the run to its card; RuntimeError when it fails or takes too long."""
    followed = Followed(time.time())
    sent = client.message("/retrain", user_id=ADMIN_ID)["message_id"]
    deadline = time.monotonic() + _LONGEST
    version = None
    while time.monotonic() < deadline:
        chat = client.chat(ADMIN_ID, since=version, wait=10)
        version = chat["version"]
        for message in chat["messages"]:
            if message["from_bot"] and message["message_id"] > sent and _seen(message, followed):
                followed.card, followed.message_id = _picture(client, message), message["message_id"]
                return followed
    raise RuntimeError(f"the run did not end within {_LONGEST:.0f} seconds; seen: {followed.seen}")


def promote(client: PlaygroundClient, followed: Followed) -> None:
    """Tap Promote under the card, yes when it asks whether to, and wait until it says that it is done."""

    def card(chat: JsonObject) -> JsonObject:
        return next(message for message in chat["messages"] if message["message_id"] == followed.message_id)

    def offers(label: str) -> Callable[[JsonObject], bool]:
        return lambda chat: any(button["text"] == label for row in card(chat)["buttons"] for button in row)

    for label in (TEXTS.button_promote, TEXTS.button_promote_yes):
        client.wait_for_chat(offers(label), chat_id=ADMIN_ID)
        client.tap(followed.message_id, label, user_id=ADMIN_ID)
    followed.note("the admin's tap")
    client.wait_for_chat(lambda chat: _PROMOTED in card(chat)["caption"], chat_id=ADMIN_ID)


def quarantined(client: PlaygroundClient) -> str:
    """What ``/quarantine`` says first."""
    sent = client.message("/quarantine", user_id=ADMIN_ID)["message_id"]

    def found(chat: JsonObject) -> list[str]:
        return [seen["text"] for seen in chat["messages"] if seen["from_bot"] and seen["message_id"] > sent]

    chat = client.wait_for_chat(lambda seen: bool(found(seen)), chat_id=ADMIN_ID)
    return found(chat)[0].partition("\n")[0]


def _seen(message: JsonObject, followed: Followed) -> bool:
    """Note what a message shows; whether it is the decision's card."""
    if "photo" in message:
        followed.note("card")
        followed.decision = message["caption"]
        return True
    if _FAILED in message["text"]:
        raise RuntimeError(message["text"])
    for stage, words in _STAGES.items():
        if words in message["text"]:
            followed.note(stage)
    return False


def _picture(client: PlaygroundClient, message: JsonObject) -> bytes:
    return httpx.get(f"{client.url}/sim/file/{message['photo'][-1]['file_id']}").raise_for_status().content
