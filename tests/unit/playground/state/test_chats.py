"""Chats survive a restart, and deleted messages leave nothing in the file."""

from dataclasses import replace
from pathlib import Path

import pytest

from playground.errors import UnusablePlaygroundFile
from playground.sim import actions, posts
from playground.state.world import World, open_world
from playground.wire import JsonObject, Upload

BEN = 2
KEYBOARD = {"keyboard": [[{"text": "Yes"}]]}


def shown(world: World) -> JsonObject:
    """Return Ben's chat, without the counter that a restart resets."""
    return {name: value for name, value in actions.chat_to_json(world, BEN).items() if name != "version"}


def test_chats_are_the_same_after_a_restart(tmp_path: Path) -> None:
    world = open_world(tmp_path, "1:a")
    first = actions.write(world, BEN, "See https://example.com 😀 /help")
    second = actions.write(world, BEN, "Again", reply_to=first.message.message_id)
    third = actions.write(world, BEN, "And again", reply_to=second.message.message_id)
    actions.send_document(world, BEN, Upload("a.csv", "text/csv", b"a"), "A table")
    posts.edit(world, BEN, third.message.message_id, "Changed", None)
    buttons = {"inline_keyboard": [[{"text": "Right", "callback_data": "r"}]]}
    answer = replace(first.message, message_id=90, sender=world.bot, reply_markup=buttons, reply_keyboard=KEYBOARD)
    world.put(world.chats.open(BEN), answer, "message")
    before = shown(world)
    world.chats.close()
    assert before["reply_keyboard"] is not None
    assert shown(open_world(tmp_path, "1:a")) == before


def test_deleted_and_cleared_messages_leave_no_text_in_the_file(tmp_path: Path) -> None:
    world = open_world(tmp_path, "1:a")
    world.updates.clear()
    for text in ("treacle", "gravel"):
        actions.write(world, BEN, text)
    posts.delete(world, BEN, 1)
    content = (tmp_path / "chats.db").read_bytes()
    assert b"treacle" not in content
    assert b"gravel" in content
    world.reset()
    assert b"gravel" not in (tmp_path / "chats.db").read_bytes()
    world.chats.close()
    assert shown(open_world(tmp_path, "1:a"))["messages"] == []


@pytest.mark.parametrize("statement", [None, "INSERT INTO messages VALUES (2, 1, '{}')"])
def test_a_broken_file_is_refused_in_one_sentence(tmp_path: Path, statement: str | None) -> None:
    if statement is None:
        (tmp_path / "chats.db").write_bytes(b"not a database, although it is long enough to be one")
    else:
        world = open_world(tmp_path, "1:a")
        world.chats._store._connection.execute(statement)
        world.chats.close()
    with pytest.raises(UnusablePlaygroundFile) as refused:
        open_world(tmp_path, "1:a")
    assert "chats.db" in str(refused.value)
    assert "\n" not in str(refused.value)
