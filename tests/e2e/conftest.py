"""A running demo, started by ``thumbs demo``, and a browser for its page."""

import shutil
import socket
from collections.abc import Iterator

import pytest
from demo_process import Demo, running_demo
from playwright.sync_api import Browser, Page, sync_playwright
from raw_bot import RawBot

from playground.client import PlaygroundClient

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A foreign host name that points to this machine, as an attacker's would after DNS rebinding.
    "--host-resolver-rules=MAP rebind.example 127.0.0.1",
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo shared by a module's tests."""
    with running_demo(tmp_path_factory.mktemp("demo") / "var") as started:
        yield started


@pytest.fixture
def bot(playground: PlaygroundClient) -> RawBot:
    """A bot that makes only those calls that the test makes."""
    return RawBot(playground)


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium was not found; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page. The test fails if a script on the page raises an error."""
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == [], "the page's scripts failed"


@pytest.fixture
def free_port() -> int:
    """A free port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
