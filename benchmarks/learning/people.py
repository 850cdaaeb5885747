"""Simulates people who consent, write sentences, vote on predictions and label other people's sentences."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Final, Self

import pandas as pd

from benchmarks.common.replies import REPLY_TIMEOUT, named_label
from bot.labelling.gold_questions import gold_questions
from bot.texts import texts_for
from ml.text.fingerprints import fingerprint
from ml.text.labels import LABELS
from playground.client import PlaygroundClient
from playground.wire import JsonObject

TEXTS: Final = texts_for("en")
_SEED: Final = 42


@dataclass(frozen=True, slots=True)
class TrueLabels:
    """The true labels, keyed by fingerprint.

    ``mistaken`` (0 to 1) is the share of the sentences that people mislabel.
    """

    labels: Mapping[str, str]
    mistaken: float

    @classmethod
    def from_tables(cls, tables: Sequence[pd.DataFrame], mistaken: float) -> Self:
        """Return the labels from the tables and from the gold questions in /label."""
        labels = {fingerprint(question.text): question.label for question in gold_questions()}
        for table in tables:
            labels |= {fingerprint(text): LABELS[label] for text, label in table[["text", "label"]].to_numpy().tolist()}
        return cls(labels, mistaken)

    def vote_of(self, person: int, text: str) -> str:
        """Return the label that a person gives to a sentence. The label is the same every time."""
        key = fingerprint(text)
        wrong = Random(f"{_SEED} {person} {key}").random() < self.mistaken
        return next(label for label in LABELS if (label == self.labels[key]) != wrong)


@dataclass(frozen=True, slots=True)
class VoteCounts:
    """Counts of sentences with a prediction (``read``) and without one (``refused``), votes, and gold questions."""

    read: int = 0
    refused: int = 0
    own: int = 0
    others: int = 0
    mistaken: int = 0
    """Number of wrong votes in ``own`` and ``others``."""
    called_wrong: int = 0
    """Number of predictions that people marked as wrong."""
    gold: int = 0

    def __add__(self, more: "VoteCounts") -> "VoteCounts":
        """Return the sums."""
        return VoteCounts(*(getattr(self, name) + getattr(more, name) for name in self.__dataclass_fields__))


class SimulatedPerson:
    """A person with a private chat. Only one thread at a time may use an instance."""

    def __init__(self, client: PlaygroundClient, number: int, true_labels: TrueLabels) -> None:
        self._client = client
        self._id = number
        self._true_labels = true_labels
        self._gold = {fingerprint(question.text) for question in gold_questions()}

    def consent(self) -> None:
        """Consent to training on all later texts."""
        sent = self._client.message("/consent", user_id=self._id)["message_id"]
        question = self._wait_for_message(lambda message: message["message_id"] > sent)
        self._client.tap(question["message_id"], TEXTS.button_consent_yes, user_id=self._id)
        self._wait_for_message(
            lambda message: message["message_id"] == question["message_id"] and message["text"] != question["text"]
        )

    def write(self, text: str) -> VoteCounts:
        """Send a sentence, and vote on the prediction if there is one."""
        sent = self._client.message(text, user_id=self._id)["message_id"]
        reply = self._wait_for_message(lambda message: is_reply_to(message, sent))
        if not reply["buttons"]:
            return VoteCounts(refused=1)
        vote = self._true_labels.vote_of(self._id, text)
        agrees = named_label(reply["text"]) == vote
        self._client.tap(reply["message_id"], TEXTS.button_right if agrees else TEXTS.button_wrong, user_id=self._id)
        self._wait_for_message(lambda message: is_reply_to(message, sent) and message["text"] != reply["text"])
        return VoteCounts(read=1, own=1, mistaken=self._is_mistaken(text, vote), called_wrong=not agrees)

    def label(self) -> VoteCounts:
        """Label other people's sentences until no sentence needs a vote."""
        sent = self._client.message("/label", user_id=self._id)["message_id"]
        shown = self._wait_for_message(lambda message: message["message_id"] > sent)
        buttons = {"Positive": TEXTS.button_positive, "Negative": TEXTS.button_negative}
        votes = VoteCounts()
        while buttons["Positive"] in _button_labels(shown):
            text = shown["text"].rpartition("\n\n")[2]
            vote = self._true_labels.vote_of(self._id, text)
            self._client.tap(shown["message_id"], buttons[vote], user_id=self._id)
            if fingerprint(text) in self._gold:
                votes += VoteCounts(gold=1)
            else:
                votes += VoteCounts(others=1, mistaken=self._is_mistaken(text, vote))
            shown = self._wait_for_change(shown)
        return votes

    def _is_mistaken(self, text: str, vote: str) -> int:
        return int(vote != self._true_labels.labels[fingerprint(text)])

    def _wait_for_change(self, shown: JsonObject) -> JsonObject:
        return self._wait_for_message(
            lambda message: message["message_id"] == shown["message_id"] and message["text"] != shown["text"]
        )

    def _wait_for_message(self, fits: Callable[[JsonObject], bool]) -> JsonObject:
        """Wait for a message from the bot that ``fits``, and return the newest such message."""

        def found(chat: JsonObject) -> list[JsonObject]:
            return [message for message in reversed(chat["messages"]) if message["from_bot"] and fits(message)]

        chat = self._client.wait_for_chat(lambda chat: bool(found(chat)), chat_id=self._id, seconds=REPLY_TIMEOUT)
        return found(chat)[0]


def in_parallel(people: Sequence[SimulatedPerson], act: Callable[[int, SimulatedPerson], VoteCounts]) -> VoteCounts:
    """Call ``act`` for all people in parallel, passing each person's index, and return the sum of their votes."""
    with ThreadPoolExecutor(len(people)) as threads:
        return sum(threads.map(act, range(len(people)), people), VoteCounts())


def is_reply_to(message: JsonObject, sent: int) -> bool:
    """Return whether a message is a reply to the message with the id ``sent``."""
    return bool(message.get("reply_to_message", {}).get("message_id") == sent)


def _button_labels(message: JsonObject) -> list[str]:
    return [button["text"] for row in message["buttons"] for button in row]
