"""People's actions over HTTP: waits, events, errors, the page and the command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from playground_process import running_playground

from playground.client import PlaygroundClient
from playground.errors import PlaygroundRefused
from playground.server import PAGE


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


def _status(playground: PlaygroundClient, path: str, **headers: str) -> int:
    """Return the status of a GET request or, for /sim/message, the status of posting a message."""
    method, values = ("POST", {"text": "a", "user_id": 1}) if path == "/sim/message" else ("GET", None)
    return _http.request(method, f"{playground.url}{path}", json=values, headers=headers).status_code


_http = httpx.Client()

LOCAL_PATHS = ("/", "/app.js", "/sim/chat/2", "/sim/outbox", "/sim/status", "/sim/about", "/sim/message")


def test_requests_under_foreign_names_are_refused(playground: PlaygroundClient) -> None:
    names = ("rebind.example", "rebind.example:8081", "127.0.0.1.rebind.example", "192.0.2.1", "[2001:db8::1]:1", "[")
    for host in names:
        assert [_status(playground, path, Host=host) for path in LOCAL_PATHS] == [403] * len(LOCAL_PATHS), host
        own_origin = {"Host": host, "Origin": f"http://{host}"}
        assert [_status(playground, path, **own_origin) for path in LOCAL_PATHS] == [403] * len(LOCAL_PATHS), host
    assert playground.chat(1)["messages"] == []


def test_requests_under_names_of_this_machine_are_answered(playground: PlaygroundClient) -> None:
    for host in ("localhost", "LOCALHOST:8081", "app.localhost", "127.0.0.1:1", "127.8.9.1", "[::1]:80"):
        assert [_status(playground, path, Host=host) for path in LOCAL_PATHS] == [200] * len(LOCAL_PATHS), host
        assert _status(playground, "/sim/message", Host=host, Origin=f"http://{host}") == 200


def test_requests_from_other_sites_are_refused(playground: PlaygroundClient) -> None:
    own = playground.url.removeprefix("http://")
    for origin in ("http://example.com", "null", "http://localhost:1", f"https://{own}", f"{playground.url}.example"):
        assert [_status(playground, path, Origin=origin) for path in LOCAL_PATHS] == [403] * len(LOCAL_PATHS), origin
    assert playground.chat(1)["messages"] == []


def test_the_refusal_says_what_to_do(playground: PlaygroundClient) -> None:
    address = f"{playground.url}/sim/message"
    other = httpx.post(address, data={"text": "a"}, headers={"Origin": "http://example.com"})
    assert (other.status_code, "own page" in other.json()["error"]) == (403, True)
    page = httpx.get(playground.url, headers={"Host": "rebind.example"})
    assert page.text.startswith("Forbidden: 'rebind.example' is not one of the playground's names; use localhost")
    assert httpx.post(address, json={"text": "a"}, headers={"Origin": playground.url}).status_code == 200


def test_no_answer_can_be_framed(playground: PlaygroundClient) -> None:
    for path in ("/", "/app.js", "/missing", "/sim/chat/2", "/sim/dance", "/sim/file/none"):
        headers = httpx.get(f"{playground.url}{path}").headers
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_server_on_all_addresses_answers_under_the_address_that_was_called(tmp_path: Path) -> None:
    with running_playground(tmp_path, host="0.0.0.0") as playground:
        port = int(playground.url.rpartition(":")[2])
        with PlaygroundClient(f"http://127.0.0.2:{port}") as client:
            assert client.message("Hello")["chat_id"] == 2
        assert _status(playground, "/", Host=f"127.0.0.2:{port}") == 200
        assert _status(playground, "/", Host=f"192.0.2.1:{port}") == 403


def test_the_page_loads_nothing_from_other_sites(playground: PlaygroundClient) -> None:
    page = httpx.get(playground.url)
    assert page.status_code == 200
    assert 'id="composer"' in page.text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    names = [path.name for path in PAGE.iterdir()]
    assert {"app.js", "style.css", "icon.svg"} < set(names)
    for name in names:
        assert httpx.get(f"{playground.url}/{name}").status_code == 200, name
    assert httpx.get(f"{playground.url}/../server.py").status_code == 404


def _run(*arguments: str, token: str = "1:a") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "playground", *arguments]
    environment = {**os.environ, "TELEGRAM_TOKEN": token}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_a_port_in_use_is_reported_in_one_sentence(playground: PlaygroundClient, tmp_path: Path) -> None:
    port = playground.url.rpartition(":")[2]
    result = _run("--port", port, "--data-dir", str(tmp_path / "other"))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Port {port} on 127.0.0.1 cannot be used: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(("option", "value"), [("--port", "70000"), ("--port", "web")])
def test_bad_arguments_are_refused(tmp_path: Path, option: str, value: str) -> None:
    result = _run("--data-dir", str(tmp_path), option, value)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"argument {option}: " in result.stderr


@pytest.mark.parametrize("token", ["", "secret"])
def test_a_bad_token_is_refused_without_showing_it(tmp_path: Path, token: str) -> None:
    result = _run("--data-dir", str(tmp_path), token=token)
    assert (result.returncode, result.stdout) == (2, "")
    assert "TELEGRAM_TOKEN is not a bot token; set it to one like" in result.stderr
    assert "secret" not in result.stderr


def test_the_token_is_not_in_the_list_of_processes(playground: PlaygroundClient, tmp_path: Path) -> None:
    folder = str(tmp_path / "playground").encode()
    lines = [line for line in _command_lines() if folder in line]
    assert lines
    assert all(playground.token.encode() not in line for line in lines)


def _command_lines() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # the process has ended
            yield path.read_bytes()


def test_a_broken_data_folder_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ids.json").write_text("{", encoding="utf-8")
    result = _run("--port", "0", "--data-dir", str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("The playground cannot read ")
    assert "ids.json: " in result.stderr
