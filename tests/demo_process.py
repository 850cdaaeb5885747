"""Starts ``thumbs demo`` as a separate process and checks that it leaves no process behind."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.settings import Settings
from playground.client import PlaygroundClient

STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: its page's URL, its folder, and a client that acts as its users."""

    url: str
    data_dir: Path
    client: PlaygroundClient
    process: subprocess.Popen[str]


def demo_environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return the environment for a demo that keeps everything in ``data_dir`` and listens on a free port."""
    names = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name.upper() not in names}
    return {**environment, "DATA_DIR": str(data_dir), "PLAYGROUND_PORT": "0", **settings}


def start_demo(environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Start ``thumbs demo`` from the project's folder, with standard output and error combined."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "demo"],
        cwd=Path(__file__).resolve().parents[1],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def page_address(process: "subprocess.Popen[str]") -> str:
    """Wait until the demo prints its page's URL. A demo that isn't ready in time exits on its own."""
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if line.startswith("Open http"):
            return line.split()[1]
    pytest.fail("the demo ended before it was ready:\n" + "".join(lines))


def processes_of(data_dir: Path) -> list[int]:
    """Return the ids of the running processes whose DATA_DIR is ``data_dir``."""
    wanted = f"DATA_DIR={data_dir}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue  # it has ended, or belongs to another user
    return found


def wait_for_end(process_ids: list[int]) -> None:
    """Wait until all of these processes have ended."""
    for process_id in process_ids:
        try:
            descriptor = os.pidfd_open(process_id)
        except ProcessLookupError:
            continue
        ended, _, _ = select.select([descriptor], [], [], STOP_SECONDS)  # readable once the process has ended
        os.close(descriptor)
        assert ended, f"process {process_id} is still running"


@contextmanager
def running_demo(data_dir: Path, **settings: str) -> Iterator[Demo]:
    """Run a demo. At the end, stop it with SIGTERM and check that it leaves no process behind."""
    with start_demo(demo_environment(data_dir, **settings)) as process:
        try:
            url = page_address(process)
            # The demo's token is secret, and the client needs a token only for the Bot API.
            with PlaygroundClient(url, token="") as client:
                yield Demo(url, data_dir, client, process)
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0, output
    assert processes_of(data_dir) == []
