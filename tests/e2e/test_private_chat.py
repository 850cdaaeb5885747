"""A person who sends reviews talks to the bot over HTTP. No call of the bot may be refused."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

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
    with running_playground(playground) as client, running_bot(home, client, QUESTION_CHANCE="0"):
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
