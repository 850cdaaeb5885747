"""``thumbs demo`` is ready in seconds and leaves no process behind, however it ends."""

import os
import signal
import socket
import threading
import time
import urllib.request
from collections import deque
from pathlib import Path

import pytest
from demo_process import demo_environment, page_address, processes_of, running_demo, start_demo, wait_for_end

READY_SECONDS = 6.0


def test_it_is_ready_in_seconds_and_restarts_on_its_data(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    with running_demo(data_dir) as first, urllib.request.urlopen(first.url) as page:
        assert "text/html" in page.headers["Content-Type"]
    key = (data_dir / "encryption.key").read_bytes()
    started = time.perf_counter()
    with running_demo(data_dir) as second:
        took = time.perf_counter() - started
        assert took - cpu_wait_seconds(data_dir) < READY_SECONDS
        assert second.process.poll() is None
    assert (data_dir / "encryption.key").read_bytes() == key
    assert (data_dir / "thumbs.db").stat().st_mode & 0o077 == 0
    assert (data_dir / "logs" / "bot.log").is_file()


def test_its_processes_end_when_it_is_killed(tmp_path: Path) -> None:
    log = worker_log(tmp_path / "var")
    with start_demo(demo_environment(tmp_path / "var")) as process:
        page_address(process)
        wait_for_worker(log)
        started = processes_of(tmp_path / "var")
        assert len(started) == 7, "the demo, playground, bot, worker, two that carry tasks out, and the beat"
        check_no_command_line_has_the_token(started)
        process.kill()
    wait_for_end(started)
    assert processes_of(tmp_path / "var") == []


def check_no_command_line_has_the_token(process_ids: list[int]) -> None:
    environments = [Path(f"/proc/{one}/environ").read_bytes().split(b"\0") for one in process_ids]
    found = {line.partition(b"=")[2] for lines in environments for line in lines if line.startswith(b"TELEGRAM_TOKEN=")}
    (token,) = found
    assert all(token not in Path(f"/proc/{one}/cmdline").read_bytes() for one in process_ids)


def test_its_worker_stops_with_it(tmp_path: Path) -> None:
    log = worker_log(tmp_path / "var")
    with running_demo(tmp_path / "var"):
        wait_for_worker(log)


def worker_log(data_dir: Path) -> Path:
    """Make the worker's log a pipe, so that a test can read it live."""
    (data_dir / "logs").mkdir(parents=True)
    os.mkfifo(data_dir / "logs" / "worker.log")
    return data_dir / "logs" / "worker.log"


def wait_for_worker(log: Path) -> None:
    """Wait until the worker is ready, and keep draining its log."""
    lines = log.open(encoding="utf-8")  # opens once the worker runs
    seen = []
    for line in lines:
        seen.append(line)
        if " ready." in line:
            threading.Thread(target=lambda: deque(lines, maxlen=0), daemon=True).start()
            return
    pytest.fail("the worker ended before it was ready:\n" + "".join(seen))


def test_proxies_of_the_system_are_not_used_between_its_processes(tmp_path: Path) -> None:
    proxies = {"http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "socks://127.0.0.1:9/", "no_proxy": "intra.example"}
    with running_demo(tmp_path / "var", **proxies) as demo:
        demo.client.message("A splendid little book: clever, funny and kind.")
        demo.client.wait_for_chat(lambda chat: any(message["from_bot"] for message in chat["messages"]))


def test_it_can_be_stopped_while_it_starts(tmp_path: Path) -> None:
    with start_demo(demo_environment(tmp_path / "var")) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Created the encryption key")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "Open http" not in output
    assert processes_of(tmp_path / "var") == []


def test_a_bot_that_cannot_start_is_reported_with_its_last_output(tmp_path: Path) -> None:
    output = failed_output(tmp_path / "var", MODEL=str(tmp_path / "absent"))
    assert "The bot exited unexpectedly" in output
    assert str(tmp_path / "absent") in output


def test_a_taken_port_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        output = failed_output(tmp_path / "var", PLAYGROUND_PORT=str(port))
    assert output.startswith(f"Port {port} on 127.0.0.1 cannot be used")
    assert output.count("\n") == 1


def cpu_wait_seconds(data_dir: Path) -> float:
    """Return how many seconds the demo's threads spent waiting for a CPU because the machine was busy."""
    threads = (task for process in processes_of(data_dir) for task in Path(f"/proc/{process}/task").iterdir())
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[1]) for task in threads) / 1e9


def test_a_second_demo_on_the_same_folder_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with running_demo(tmp_path / "var"):
        with start_demo(demo_environment(tmp_path / "var")) as second:
            output, _ = second.communicate(timeout=60)
        assert second.returncode == 2
        assert output.startswith("Another demo is already using")


def failed_output(data_dir: Path, **settings: str) -> str:
    """Start a demo that must fail, check that it leaves no process behind, and return its output."""
    with start_demo(demo_environment(data_dir, **settings)) as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode != 0, output
    assert "Traceback" not in output
    assert processes_of(data_dir) == []
    return output
