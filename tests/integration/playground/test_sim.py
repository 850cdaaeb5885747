"""The people's side over HTTP: waits, events, refusals, the page, and the command line."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from playground.client import PlaygroundClient
from playground.errors import PlaygroundRefused


def test_changes_are_streamed_as_they_happen(playground: PlaygroundClient) -> None:
    with httpx.stream("GET", f"{playground.url}/sim/events", timeout=20) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": open"
        playground.message("Hello")
        events = (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
        first = next(event for event in events if event["type"] == "message")
        assert (first["chat_id"], first["message"]["text"]) == (2, "Hello")


def test_a_wait_for_a_change_times_out(playground: PlaygroundClient) -> None:
    assert playground.outbox(wait=1) == []
    assert playground.chat(wait=1)["messages"] == []
    assert playground.status()["bot"] == {"polling": False, "webhook": None, "last_poll": None}
    with pytest.raises(TimeoutError, match="did not change as expected"):
        playground.wait_for_chat(lambda chat: bool(chat["messages"]), seconds=0.5)
    with pytest.raises(TimeoutError, match="did not call sendMessage"):
        playground.wait_for_call("sendMessage", seconds=0.5)


def test_a_private_chat_has_the_id_of_its_person(playground: PlaygroundClient) -> None:
    post = httpx.Client(base_url=f"{playground.url}/sim").post
    assert post("/message", json={"text": "a", "chat_id": 5}).json()["message"]["from"]["first_name"] == "User 5"
    assert post("/message", json={"text": "a"}).json()["chat_id"] == 2
    assert post("/message", json={"text": "a", "chat_type": "private", "user_id": 1}).json()["chat_id"] == 1


@pytest.mark.parametrize(
    ("action", "values", "status", "reason"),
    [
        ("message", {"text": "a", "chat_id": 5, "user_id": 6}, 400, "user 6 is not in it"),
        ("message", {"text": "a", "chat_type": "group"}, 501, "other than private"),
        ("message", {"text": "a", "chat_id": -5}, 501, "other than private"),
        ("message", {"text": " "}, 400, "message text is empty"),
        ("message", {"text": "a", "txet": "b"}, 400, 'unknown parameter "txet"'),
        ("message", {}, 400, '"text" is required'),
        ("message", {"text": "a", "reply_to": 9}, 404, "has no message 9"),
        ("paste", {"text": " "}, 400, "message text is empty"),
        ("tap", {"message_id": 9, "label": "x"}, 404, "has no message 9"),
        ("react", {}, 501, "reactions"),
        ("inline", {}, 501, "inline queries"),
        ("member", {}, 501, "groups"),
        ("dance", {}, 404, "there is no /sim/dance"),
    ],
)
def test_invalid_actions_are_refused(
    playground: PlaygroundClient, action: str, values: dict, status: int, reason: str
) -> None:
    answer = httpx.post(f"{playground.url}/sim/{action}", json=values)
    assert answer.status_code == status
    assert reason in answer.json()["error"]


def test_a_photo_that_is_not_an_image_is_refused(playground: PlaygroundClient) -> None:
    with pytest.raises(PlaygroundRefused, match="IMAGE_PROCESS_FAILED"):
        playground.photo("notes.png", b"not an image")


def test_the_browser_never_executes_files_of_the_chat(playground: PlaygroundClient) -> None:
    sent = playground.document("page.html", b"<script>alert(1)</script>")
    answer = httpx.get(f"{playground.url}/sim/file/{sent['message']['document']['file_id']}")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_requests_from_other_sites_are_refused(playground: PlaygroundClient) -> None:
    address = f"{playground.url}/sim/message"
    other = httpx.post(address, data={"text": "a"}, headers={"Origin": "http://example.com"})
    assert (other.status_code, "own page" in other.json()["error"]) == (403, True)
    assert httpx.post(address, json={"text": "a"}, headers={"Origin": playground.url}).status_code == 200


def test_the_page_loads_nothing_from_other_sites(playground: PlaygroundClient) -> None:
    page = httpx.get(playground.url)
    assert page.status_code == 200
    assert 'id="composer"' in page.text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("style.css", "app.js", "bubbles.js", "rich_text.js", "sim.js", "tools.js", "icon.svg"):
        assert httpx.get(f"{playground.url}/{name}").status_code == 200, name
    assert httpx.get(f"{playground.url}/../server.py").status_code == 404


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "playground", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_port_in_use_is_reported_in_one_sentence(playground: PlaygroundClient, tmp_path: Path) -> None:
    port = playground.url.rpartition(":")[2]
    result = _run("--port", port, "--data-dir", str(tmp_path / "other"), "--token", "1:a")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Port {port} on 127.0.0.1 cannot be used: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(("option", "value"), [("--token", "secret"), ("--port", "70000"), ("--port", "web")])
def test_bad_arguments_are_refused(tmp_path: Path, option: str, value: str) -> None:
    result = _run("--data-dir", str(tmp_path), "--token", "1:a", option, value)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"argument {option}: " in result.stderr


def test_a_broken_data_folder_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ids.json").write_text("{", encoding="utf-8")
    result = _run("--port", "0", "--data-dir", str(tmp_path), "--token", "1:a")
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("The playground cannot read its file ")
    assert "ids.json: " in result.stderr
