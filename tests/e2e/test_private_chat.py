"""A person sends reviews to the bot over HTTP. The playground must accept all of the bot's calls."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest
from bot_process import BotHome, running_bot
from playground_process import running_playground
from private_chat import PrivateChat, refused_calls

from playground.client import PlaygroundClient

GOOD = "What a wonderful evening. The play was funny, warm and brilliantly acted, and I would see it again tomorrow."
BAD = "What a waste of an evening. The play was dull, cold and badly acted, and I left before the end of it."
# A PNG header is enough, because the playground reads only the size.
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(8) + (1).to_bytes(4, "big") * 2
_people = count(100)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaygroundClient]:
    """A playground with a bot."""
    home = BotHome.make(tmp_path_factory.mktemp("home") / "bot")
    playground: Path = tmp_path_factory.mktemp("chats") / "playground"
    settings = {"QUESTION_CHANCE": "0", "OPERATOR_NAME": "Tests & Co", "OPERATOR_CONTACT": "privacy@example.org"}
    with running_playground(playground) as client, running_bot(home, client, **settings):
        yield client


@pytest.fixture
def chat(client: PlaygroundClient) -> Iterator[PrivateChat]:
    """A new person's chat. At the end, check the bot's calls."""
    yield PrivateChat(client, next(_people))
    assert refused_calls(client) == []


def test_captions_forwards_and_albums_get_one_verdict_each(chat: PrivateChat) -> None:
    client, person = chat.client, chat.person
    photo = client.photo("play.png", IMAGE, user_id=person, caption=GOOD)
    verdict = chat.wait_for("👍 Positive", after=photo)
    client.edit(photo["message_id"], BAD, user_id=person)
    assert chat.wait_for("👎 Negative", after=photo)["message_id"] == verdict["message_id"]

    chat.wait_for("👍 Positive", after=client.video(user_id=person, caption=GOOD))
    text = client.message(GOOD, user_id=person)
    verdict = chat.wait_for("👍 Positive", after=text)
    client.edit(text["message_id"], BAD, user_id=person, photo=IMAGE)
    assert chat.wait_for("👎 Negative", after=text)["message_id"] == verdict["message_id"]

    chat.wait_for("👍 Positive", after=client.album(IMAGE, ["", GOOD, ""], user_id=person)[-1])
    before = len(chat.replies())
    client.forward(" ".join([GOOD] * 35), user_id=person, post=411)
    chat.wait_for("👎 Negative", after=client.forward(BAD, user_id=person, post=912))
    assert len(chat.replies()) == before + 2

    gone = client.message(GOOD, user_id=person)
    verdict = chat.wait_for("👍 Positive", after=gone)
    for deleted in (gone, verdict):
        client.delete(deleted["message_id"], user_id=person)
    chat.write(BAD, "👎 Negative")


def test_a_person_reads_their_history_deletes_a_message_and_gets_their_data(chat: PrivateChat) -> None:
    client = chat.client
    chat.write(GOOD, "👍 Positive")
    verdict = chat.write(BAD, "👎 Negative")
    chat.tap(verdict, "✅ Right", "You said I'm right")
    for number in range(4):
        chat.write(f"{GOOD} Part {number}.", "👍 Positive")
    page = chat.write("/history", "Your messages")
    older = chat.tap(page, "Older ➡️", f"“{GOOD}”")
    newer = chat.tap(older, "⬅️ Newer", BAD)
    question = chat.tap(newer, "🗑 5", "Delete this message?")
    assert BAD in question["text"]
    deleted = chat.tap(question, "Delete it", "your votes (1)")
    assert BAD not in deleted["text"]

    message = chat.write("/mydata", "everything I have about you")
    content = httpx.get(f"{client.url}/sim/file/{message['document']['file_id']}")
    assert message["document"]["file_name"] == "mydata.json"
    texts = [part["text"] for sent in content.json()["messages"] for part in sent["parts"]]
    assert texts == [GOOD, *(f"{GOOD} Part {number}." for number in range(4))]


def test_answers_about_a_persons_data_are_true_and_questions_can_be_declined(chat: PrivateChat) -> None:
    sent = chat.client.message(GOOD, user_id=chat.person)
    verdict = chat.wait_for("👍 Positive", after=sent)
    voted = chat.tap(verdict, "❌ Wrong", "tell me why")
    chat.tap(voted, "No, thanks", "You said I'm wrong")
    asked = chat.wait_for("May I learn from it?", after=verdict)
    chat.tap(asked, "No, thanks", "I won't learn from")
    chat.client.edit(sent["message_id"], BAD, user_id=chat.person)
    chat.client.wait_for_chat(lambda shown: "no longer counts" in str(shown["messages"]), chat_id=chat.person)
    chat.tap(verdict, "✅ Right", "You said I'm right")
    chat.write("/privacy", "Tests & Co, privacy@example.org")
    question = chat.write("/deleteme", "This can't be undone")
    kept = chat.tap(question, "No, thanks", "Nothing was deleted")
    question = chat.wait_for("This can't be undone", after=chat.client.message("/deleteme", user_id=chat.person))
    assert kept["message_id"] < question["message_id"]
    chat.tap(question, "Delete everything", "messages (1), your votes (1), other people's votes on your messages (0)")


def test_percentages_can_be_hidden_and_notices_turned_on(chat: PrivateChat) -> None:
    verdict = chat.write(GOOD, "%")
    settings = chat.write("/settings", "Your settings")
    chat.client.tap(settings["message_id"], "Percentages: shown", user_id=chat.person)
    chat.client.wait_for_chat(lambda shown: "Percentages: hidden" in str(shown["messages"]), chat_id=chat.person)
    chat.client.tap(settings["message_id"], "Notices: off", user_id=chat.person)
    chat.client.wait_for_chat(lambda shown: "Notices: on" in str(shown["messages"]), chat_id=chat.person)
    assert "%" not in chat.tap(verdict, "✅ Right", "You said I'm right")["text"]
