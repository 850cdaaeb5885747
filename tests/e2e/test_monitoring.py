"""What an operator can see about a running bot: metrics, readiness, and ``thumbs status``."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

import httpx
from bot_process import BotHome, running_bot, start_bot
from click.testing import Result
from playground_process import running_playground
from typer.testing import CliRunner

from cli.main import app


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def command(home: BotHome, *arguments: str, **settings: str) -> Result:
    given = {"DATA_DIR": str(home.settings.data_dir), "ENCRYPTION_KEY_FILE": str(home.settings.encryption_key_file)}
    return CliRunner().invoke(app, arguments, env={**given, **settings})


def test_a_running_bot_is_measured_and_ready(tmp_path: Path) -> None:
    home, port = BotHome.make(tmp_path / "home"), str(free_port())
    with running_playground(tmp_path / "playground") as client, running_bot(home, client, METRICS_PORT=port):
        client.message("A wonderful film.", user_id=1)
        client.wait_for_call("sendMessage")
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        ready = command(home, "health", METRICS_PORT=port)
        shown = command(home, "status")
        found = json.loads(command(home, "status", "--json").output)
    assert 'thumbs_updates{state="handled"} 1.0' in metrics
    assert 'thumbs_replies{state="failed"} 0.0' in metrics
    assert 'thumbs_model{version="' in metrics
    for histogram in ("handling", "classifying", "calling"):
        assert f"thumbs_{histogram}_seconds_count 1.0" in metrics
    assert "thumbs_updates_received_total 1.0" in metrics
    assert (ready.exit_code, ready.output.startswith("Ready: database, broker, telegram")) == (0, True), ready.output
    assert "Updates   0 pending, 0 failed, 1 handled" in shown.output
    assert f"serves {found['live_version']}" in shown.output
    assert (found["updates"]["handled"], found["votes"]["right"], len(found["bots"])) == (1, 0, 1)
    gone = command(home, "health", METRICS_PORT=port)
    assert gone.exit_code == 1
    assert f"No bot or worker is responding at 127.0.0.1:{port}" in str(gone.exception)
    assert "none is running" in command(home, "status").output


def test_health_needs_the_port(tmp_path: Path) -> None:
    result = command(BotHome.make(tmp_path / "home"), "health")
    assert "METRICS_PORT is not set" in str(result.exception)


def test_one_id_follows_an_update_through_the_logs(tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "home")
    with running_playground(tmp_path / "playground") as client, ExitStack() as stack:
        process = stack.enter_context(start_bot(home, client, LOG_FORMAT="json"))
        client.message("A wonderful film.", user_id=1)
        client.wait_for_call("sendMessage")
        client.wait_for_call("setMyShortDescription")
        process.terminate()
        output, _ = process.communicate()
    records = [json.loads(line) for line in output.splitlines()]
    [update_id] = {record["update_id"] for record in records if "update_id" in record}
    followed = [record["message"] for record in records if record.get("update_id") == update_id]
    assert followed[0].startswith("Classified by ")
    assert followed[1] == "Handled"
    assert followed[2].startswith("Sent reply ")
    assert "wonderful" not in output
