"""Counters, files, callbacks, the profile and the update queue, and whether they survive a restart."""

import json
from pathlib import Path

import pytest

from playground.errors import UnusablePlaygroundFile
from playground.state.callbacks import LIFETIME_SECONDS, Callbacks
from playground.state.change_feed import ChangeFeed
from playground.state.faults import Fault, Faults
from playground.state.files import Files, image_size
from playground.state.ids import Counters
from playground.state.profile import Profile, ProfileFile, localized, with_translation
from playground.state.updates import Updates
from playground.wire import ApiError, Upload

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0"
JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x02\0\x03rest"


def test_counters_continue_after_a_restart(tmp_path: Path) -> None:
    counters = Counters(tmp_path / "ids.json")
    assert [counters.next("update"), counters.next("update"), counters.next("file")] == [1, 2, 1]
    again = Counters(tmp_path / "ids.json")
    assert [again.next("update"), again.next("file")] == [3, 2]
    assert (again.started("update"), again.started("message 5")) == (True, False)


@pytest.mark.parametrize("content", ["{", "[1]", "\x00"])
def test_a_broken_counter_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "ids.json").write_text(content, encoding="utf-8")
    with pytest.raises(UnusablePlaygroundFile, match=r"ids\.json"):
        Counters(tmp_path / "ids.json")


def test_a_file_id_is_valid_after_a_restart(tmp_path: Path) -> None:
    upload = Upload("../../notes.CSV", "text/csv", b"a,b")
    stored = Files(tmp_path / "files", Counters(tmp_path / "ids.json")).add("documents", upload)
    again = Files(tmp_path / "files", Counters(tmp_path / "ids.json"))
    assert stored.path == "documents/file_1.CSV"
    assert again.find(stored.id) == stored
    assert again.content(stored.path) == b"a,b"


@pytest.mark.parametrize("file_id", ["", "é", "nonsense", "Li4vaWRzLmpzb24", "ZG9jdW1lbnRzL2ZpbGVfOQ"])
def test_an_unknown_file_id_is_refused(tmp_path: Path, file_id: str) -> None:
    files = Files(tmp_path / "files", Counters(tmp_path / "ids.json"))
    with pytest.raises(ApiError, match="wrong file_id"):
        files.find(file_id)


@pytest.mark.parametrize(
    "path", ["../ids.json", "documents/../../ids.json", "/etc/hostname", "documents/file_1.csv/.."]
)
def test_no_path_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    files = Files(tmp_path / "files", Counters(tmp_path / "ids.json"))
    files.add("documents", Upload("a.csv", "text/csv", b""))
    with pytest.raises(FileNotFoundError):
        files.content(path)


@pytest.mark.parametrize("content", [PNG, b"GIF89a\x03\0\x02\0", JPEG])
def test_image_sizes(content: bytes) -> None:
    assert image_size(content) == (3, 2)


@pytest.mark.parametrize("content", [b"", b"text", PNG[:18], JPEG[:6]])
def test_a_file_that_is_not_an_image_is_refused(content: bytes) -> None:
    with pytest.raises(ApiError, match="IMAGE_PROCESS_FAILED"):
        image_size(content)


def test_a_callback_can_be_answered_once_and_in_time(tmp_path: Path) -> None:
    now = [1000.0]
    callbacks = Callbacks(Counters(tmp_path / "ids.json"), clock=lambda: now[0])
    quick, slow = callbacks.add(2, 2), callbacks.add(2, 2)
    now[0] += LIFETIME_SECONDS
    assert callbacks.pop(quick.id) == quick
    with pytest.raises(ApiError, match="query is too old"):
        callbacks.pop(quick.id)
    now[0] += 1
    with pytest.raises(ApiError, match="query is too old"):
        callbacks.pop(slow.id)


def test_the_commands_of_the_narrowest_scope_are_shown() -> None:
    start, extra, own = ({"command": name, "description": name} for name in ("start", "extra", "own"))
    profile = Profile().with_commands({"type": "default"}, "", [start])
    profile = profile.with_commands({"type": "all_private_chats"}, "en", [extra])
    profile = profile.with_commands({"type": "chat", "chat_id": 1}, "", [own])
    assert profile.commands_shown(1, "en") == [own]
    assert profile.commands_shown(2, "en") == [extra]
    assert profile.commands_shown(2, "de") == [start]
    assert profile.with_commands({"type": "all_private_chats"}, "en", None).commands_shown(2, "en") == [start]


def test_the_profile_survives_a_restart(tmp_path: Path) -> None:
    file = ProfileFile(tmp_path / "profile.json")
    file.put(file.current.with_commands({"type": "default"}, "", [{"command": "start", "description": "Begin"}]))
    file.change(
        webhook_url="http://127.0.0.1:9/", allowed_updates=("message",), name=with_translation((), "de", "Daumen")
    )
    again = ProfileFile(tmp_path / "profile.json").current
    assert again == file.current
    assert (localized(again.name, "de"), localized(again.name, "en")) == ("Daumen", "")


def _queue(folder: Path, faults: Faults) -> Updates:
    profile = ProfileFile(folder / "profile.json")
    return Updates(folder / "updates.jsonl", Counters(folder / "ids.json"), profile, faults, ChangeFeed())


def _ids(updates: Updates) -> list[int]:
    return [update["update_id"] for update in updates.pending]


async def test_pending_updates_survive_a_restart(tmp_path: Path) -> None:
    updates = _queue(tmp_path, Faults())
    for number in range(3):
        updates.push("message", {"number": number})
    updates.confirm(2)
    again = _queue(tmp_path, Faults())
    assert [(u["update_id"], u["message"]["number"]) for u in again.pending] == [(2, 1), (3, 2)]
    assert again.push("message", {}) == 4
    again.confirm(-1)
    assert _ids(again) == [4]
    assert [json.loads(line)["update_id"] for line in (tmp_path / "updates.jsonl").read_text().splitlines()] == [4]


async def test_unwanted_kinds_are_not_enqueued(tmp_path: Path) -> None:
    updates = _queue(tmp_path, Faults())
    assert updates.push("message_reaction", {}) is None
    assert updates.push("message", {}) == 1


async def test_faults_duplicate_and_reorder_updates(tmp_path: Path) -> None:
    faults = Faults()
    updates = _queue(tmp_path, faults)
    faults.add(Fault("duplicate_update"))
    faults.add(Fault("out_of_order"))
    for _ in range(4):
        updates.push("message", {})
    assert _ids(updates) == [1, 1, 3, 2, 4]


def test_a_fault_hits_its_method_as_often_as_requested() -> None:
    faults = Faults()
    faults.add(Fault("500", "sendMessage", times=2))
    faults.add(Fault("429"))
    hits = [faults.for_call(name) for name in ("getUpdates", "sendMessage", "sendmessage", "sendMessage", "getMe")]
    assert [fault and fault.kind for fault in hits] == [None, "500", "500", "429", None]
    assert faults.to_json() == []
