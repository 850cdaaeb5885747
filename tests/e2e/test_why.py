"""People ask for explanations over HTTP: with the button, with ``/why``, and about a long review."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bot_process import BotHome, running_bot
from playground_process import running_playground

from playground.client import PlaygroundClient

READER, WRITER, NOBODY = 20, 21, 22
BAD = "What a waste of an evening. The play was <dull>, cold & badly acted."
PLAIN = "We took the tram to the theatre, which is near the station, and our seats were in row twelve. "
CLEAR = "👎 I hated every minute of it. It is a boring, badly acted and pointless waste of time."

Message = dict[str, Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaygroundClient]:
    home = BotHome.make(tmp_path_factory.mktemp("home") / "bot")
    playground: Path = tmp_path_factory.mktemp("chats") / "playground"
    with running_playground(playground) as client, running_bot(home, client):
        yield client


def wait_for(client: PlaygroundClient, person: int, text: str, count: int = 1) -> Message:
    """Wait until the bot has sent ``count`` messages that contain ``text``, and return the newest one."""

    def found(chat: Message) -> list[Message]:
        return [message for message in chat["messages"] if message["from_bot"] and text in message["text"]]

    return found(client.wait_for_chat(lambda chat: len(found(chat)) >= count, chat_id=person))[-1]


def bold_words(message: Message) -> set[str]:
    units = message["text"].encode("utf-16-le")
    return {
        units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")
        for entity in message["entities"]
        if entity["type"] == "bold"
    }


def test_a_verdict_is_explained_with_the_words_that_moved_it(client: PlaygroundClient) -> None:
    review = client.message(BAD, user_id=READER)
    verdict = wait_for(client, READER, "👎 Negative")
    client.tap(verdict["message_id"], "💡 Why?", user_id=READER)
    tapped = wait_for(client, READER, "pulled it down")
    assert tapped["reply_to_message"]["message_id"] == review["message_id"]
    assert "quote" not in tapped
    assert "The play was <dull>, cold & badly acted." in tapped["text"]
    assert bold_words(tapped) & {"waste", "dull", "cold", "badly"}
    client.message("/why", user_id=READER)
    assert wait_for(client, READER, "pulled it down", 2)["text"] == tapped["text"]
    client.message("Lovely.", user_id=READER)
    wait_for(client, READER, "👍 Positive")
    client.message("/why", user_id=READER, reply_to=verdict["message_id"])
    assert wait_for(client, READER, "pulled it down", 3)["text"] == tapped["text"]


def test_the_passage_that_decided_in_a_long_review_is_quoted(client: PlaygroundClient) -> None:
    text = f"{PLAIN * 5}{CLEAR}"
    review = client.message(text, user_id=WRITER)
    verdict = wait_for(client, WRITER, "overlapping parts")
    client.tap(verdict["message_id"], "💡 Why?", user_id=WRITER)
    quoted = wait_for(client, WRITER, "This part decided")
    assert quoted["reply_to_message"]["message_id"] == review["message_id"]
    quote = quoted["quote"]
    assert "badly acted" in quote["text"]
    units = text.encode("utf-16-le")[2 * quote["position"] :]
    assert units.startswith(quote["text"].encode("utf-16-le"))
    assert quote["text"] in quoted["text"]


def test_there_may_be_nothing_to_explain(client: PlaygroundClient) -> None:
    client.message("/why", user_id=NOBODY)
    wait_for(client, NOBODY, "Send me a review first")
    foreign = client.message("Das war leider ein ausgesprochen langweiliger Film.", user_id=NOBODY)
    wait_for(client, NOBODY, "I only read English")
    client.message("/why", user_id=NOBODY, reply_to=foreign["message_id"])
    wait_for(client, NOBODY, "That message isn't a verdict")
