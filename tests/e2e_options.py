"""Command-line options of the end-to-end tests, and the pictures that they save on request."""

from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, ViewportSize

DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the folder for pictures of the chat page."""
    parser.addoption("--pictures-to", type=Path, help="Folder for pictures of the chat page: desktop, dark and phone.")


def save_pictures(page: Page, config: pytest.Config, prefix: str = "page") -> None:
    """Save pictures of the current page, named after ``prefix``, if the command line names a folder for them."""
    folder: Path | None = config.getoption("--pictures-to")
    if folder is None:
        return
    for name, size, colours in (("desktop", DESKTOP, "light"), ("dark", DESKTOP, "dark"), ("phone", PHONE, "light")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
        page.evaluate("document.querySelector('#messages').scrollTop = 1e6")
        page.screenshot(path=folder / f"{prefix}-{name}.png", animations="disabled")
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
