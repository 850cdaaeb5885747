"""Simulated people: they consent, write sentences, say whether the verdict is right, and vote on what others wrote."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Final, Self

import pandas as pd

from bot.labelling.gold_questions import gold_questions
from bot.texts import texts_for
from ml.text.fingerprints import fingerprint
from ml.text.labels import LABELS
from playground.client import PlaygroundClient
from playground.wire import JsonObject

TEXTS: Final = texts_for("en")
# Seconds that a person waits for the bot.
PATIENCE: Final = 120.0
_SEED: Final = 42


@dataclass(frozen=True, slots=True)
class Truth:
    """What each sentence is, by its fingerprint; people are ``mistaken`` about that share of them, 0 to 1."""

    labels: Mapping[str, str]
    mistaken: float

    @classmethod
    def of(cls, tables: Sequence[pd.DataFrame], mistaken: float) -> Self:
        """The labels of the tables, and of the gold questions that labellers meet among them."""
        labels = {fingerprint(question.text): question.label for question in gold_questions()}
        for table in tables:
            labels |= {fingerprint(text): LABELS[label] for text, label in table[["text", "label"]].to_numpy().tolist()}
        return cls(labels, mistaken)

    def vote_of(self, person: int, text: str) -> str:
        """What a person takes a sentence for, the same whenever they are asked."""
        name = fingerprint(text)
        wrong = Random(f"{_SEED} {person} {name}").random() < self.mistaken
        return next(label for label in LABELS if (label == self.labels[name]) != wrong)


@dataclass(frozen=True, slots=True)
class Votes:
    """What people did: sentences that got a verdict or none, votes on one's own and on others', gold questions."""

    read: int = 0
    refused: int = 0
    own: int = 0
    others: int = 0
    mistaken: int = 0
    """Of both kinds of votes."""
    called_wrong: int = 0
    """Verdicts that their readers called wrong."""
    gold: int = 0

    def __add__(self, more: "Votes") -> "Votes":
        """Both together."""
        return Votes(*(getattr(self, name) + getattr(more, name) for name in self.__dataclass_fields__))


class Person:
    """Somebody with a private chat; one thread at a time may act as them."""

    def __init__(self, client: PlaygroundClient, number: int, truth: Truth) -> None:
        self._client = client
        self._id = number
        self._truth = truth
        self._gold = {fingerprint(question.text) for question in gold_questions()}

    def consent(self) -> None:
        """Let the bot learn from everything that follows."""
        sent = self._client.message("/consent", user_id=self._id)["message_id"]
        question = self._see(lambda message: message["message_id"] > sent)
        self._client.tap(question["message_id"], TEXTS.button_consent_yes, user_id=self._id)
        self._see(
            lambda message: message["message_id"] == question["message_id"] and message["text"] != question["text"]
        )

    def write(self, text: str) -> Votes:
        """Send a sentence and say whether the verdict is right, where there is one."""
        sent = self._client.message(text, user_id=self._id)["message_id"]
        reply = self._see(lambda message: answers(message, sent))
        if not reply["buttons"]:
            return Votes(refused=1)
        vote = self._truth.vote_of(self._id, text)
        agrees = named_label(reply) == vote
        self._client.tap(reply["message_id"], TEXTS.button_right if agrees else TEXTS.button_wrong, user_id=self._id)
        self._see(lambda message: answers(message, sent) and message["text"] != reply["text"])
        return Votes(read=1, own=1, mistaken=self._mistaken(text, vote), called_wrong=not agrees)

    def label(self) -> Votes:
        """Vote on other people's sentences until none needs a vote."""
        sent = self._client.message("/label", user_id=self._id)["message_id"]
        shown = self._see(lambda message: message["message_id"] > sent)
        buttons = {"Positive": TEXTS.button_positive, "Negative": TEXTS.button_negative}
        votes = Votes()
        while buttons["Positive"] in _labels(shown):
            text = shown["text"].partition("\n\n")[2]
            vote = self._truth.vote_of(self._id, text)
            self._client.tap(shown["message_id"], buttons[vote], user_id=self._id)
            if fingerprint(text) in self._gold:
                votes += Votes(gold=1)
            else:
                votes += Votes(others=1, mistaken=self._mistaken(text, vote))
            shown = self._changed(shown)
        return votes

    def _mistaken(self, text: str, vote: str) -> int:
        return int(vote != self._truth.labels[fingerprint(text)])

    def _changed(self, shown: JsonObject) -> JsonObject:
        return self._see(
            lambda message: message["message_id"] == shown["message_id"] and message["text"] != shown["text"]
        )

    def _see(self, fits: Callable[[JsonObject], bool]) -> JsonObject:
        """The bot's newest message that fits, once there is one."""

        def found(chat: JsonObject) -> list[JsonObject]:
            return [message for message in reversed(chat["messages"]) if message["from_bot"] and fits(message)]

        chat = self._client.wait_for_chat(lambda chat: bool(found(chat)), chat_id=self._id, seconds=PATIENCE)
        return found(chat)[0]


def together(people: Sequence[Person], act: Callable[[int, Person], Votes]) -> Votes:
    """What all people did who acted at the same time, each by ``act`` with their place in the sequence."""
    with ThreadPoolExecutor(len(people)) as threads:
        return sum(threads.map(act, range(len(people)), people), Votes())


def answers(message: JsonObject, sent: int) -> bool:
    """Whether a message of the bot answers the person's message ``sent``."""
    return bool(message.get("reply_to_message", {}).get("message_id") == sent)


def named_label(message: JsonObject) -> str | None:
    """The one label that a verdict names."""
    named = [label for label in LABELS if label in message["text"]]
    return named[0] if len(named) == 1 else None


def _labels(message: JsonObject) -> list[str]:
    return [button["text"] for row in message["buttons"] for button in row]
