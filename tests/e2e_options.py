"""Command-line options of the end-to-end tests."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file for the browser test's screenshot."""
    parser.addoption("--screenshot-to", default=None, help="File that the browser test writes its screenshot to.")
