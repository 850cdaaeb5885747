"""Acts as the admin in the chat: sends ``/retrain``, follows the run to its decision, and promotes the candidate."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx

from benchmarks.learning.people import TEXTS
from playground.client import PlaygroundClient
from playground.state.people import ADMIN_ID
from playground.wire import JsonObject

# Maximum number of seconds for a run.
_RUN_TIMEOUT: Final = 1_800.0
# The stages of a run in order, each with words from the messages that show the stage.
_STAGE_TEXTS: Final = {
    "taken by a worker": (TEXTS.run_preparing, TEXTS.phase_loading, TEXTS.phase_replay),
    "training": (TEXTS.run_training.partition("\n")[2].partition("{")[0],),
    "measuring": (TEXTS.run_evaluating, TEXTS.phase_votes, TEXTS.phase_reviews, TEXTS.phase_behaviour),
}
_FAILED_TEXT: Final = TEXTS.run_failed.partition("{")[0]
# Words on the decision card once the model is live.
_PROMOTED_TEXT: Final = TEXTS.card_promoted.partition("}")[2]
# The beginning of the card for a held model that an admin may promote, because there were too few corrections or
# distrusted words.
HELD_BUT_BETTER: Final = "Held: better on feedback"


@dataclass(slots=True)
class FollowedRun:
    """The admin's view of a run.

    ``started_at`` is the ``time.time()`` at which ``/retrain`` was sent. ``stage_seconds`` maps each stage to the
    seconds from ``started_at`` to the stage. ``decision`` is the card's caption, ``card`` is its PNG image, and
    ``message_id`` is the id of its message.
    """

    started_at: float
    stage_seconds: dict[str, float] = field(default_factory=dict)
    decision: str = ""
    card: bytes = b""
    message_id: int = 0

    @property
    def promotable(self) -> bool:
        """Whether the gate holds the model for an admin even though it is better on feedback."""
        return HELD_BUT_BETTER in self.decision

    def record_stage(self, stage: str) -> None:
        """Record when a stage was first seen."""
        self.stage_seconds.setdefault(stage, round(time.time() - self.started_at, 1))


def retrain(client: PlaygroundClient) -> FollowedRun:
    """Send ``/retrain`` and follow the run to its card. Raise RuntimeError if the run fails or takes too long."""
    followed = FollowedRun(time.time())
    sent = client.message("/retrain", user_id=ADMIN_ID)["message_id"]
    deadline = time.monotonic() + _RUN_TIMEOUT
    version = None
    while time.monotonic() < deadline:
        chat = client.chat(ADMIN_ID, since=version, wait=10)
        version = chat["version"]
        for message in chat["messages"]:
            if message["from_bot"] and message["message_id"] > sent and _record_message(message, followed):
                followed.card, followed.message_id = _download_photo(client, message), message["message_id"]
                return followed
    raise RuntimeError(f"the run did not end within {_RUN_TIMEOUT:.0f} seconds; stages seen: {followed.stage_seconds}")


def promote(client: PlaygroundClient, followed: FollowedRun) -> None:
    """Tap Promote under the card, confirm, and wait until the card shows that the model is live."""

    def card(chat: JsonObject) -> JsonObject:
        return next(message for message in chat["messages"] if message["message_id"] == followed.message_id)

    def has_button(label: str) -> Callable[[JsonObject], bool]:
        return lambda chat: any(button["text"] == label for row in card(chat)["buttons"] for button in row)

    for label in (TEXTS.button_promote, TEXTS.button_promote_yes):
        client.wait_for_chat(has_button(label), chat_id=ADMIN_ID)
        client.tap(followed.message_id, label, user_id=ADMIN_ID)
    followed.record_stage("the admin's tap")
    client.wait_for_chat(lambda chat: _PROMOTED_TEXT in card(chat)["caption"], chat_id=ADMIN_ID)


def quarantine_summary(client: PlaygroundClient) -> str:
    """Send ``/quarantine`` and return the reply's first line."""
    sent = client.message("/quarantine", user_id=ADMIN_ID)["message_id"]

    def found(chat: JsonObject) -> list[str]:
        return [seen["text"] for seen in chat["messages"] if seen["from_bot"] and seen["message_id"] > sent]

    chat = client.wait_for_chat(lambda seen: bool(found(seen)), chat_id=ADMIN_ID)
    return found(chat)[0].partition("\n")[0]


def _record_message(message: JsonObject, followed: FollowedRun) -> bool:
    """Record the run's progress from one of the bot's messages. Return whether the message is the decision card."""
    if "photo" in message:
        followed.record_stage("card")
        followed.decision = message["caption"]
        return True
    if _FAILED_TEXT in message["text"]:
        raise RuntimeError(message["text"])
    for stage, texts in _STAGE_TEXTS.items():
        if any(text in message["text"] for text in texts):
            followed.record_stage(stage)
    return False


def _download_photo(client: PlaygroundClient, message: JsonObject) -> bytes:
    return httpx.get(f"{client.url}/sim/file/{message['photo'][-1]['file_id']}").raise_for_status().content
