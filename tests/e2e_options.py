"""Options of the end-to-end tests."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the browser test keeps a picture of the page, if anywhere."""
    parser.addoption("--screenshot-to", default=None, help="File that the browser test writes its screenshot to.")
