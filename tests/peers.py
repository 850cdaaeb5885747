"""Runs tests marked ``peers``, which compare Thumbs with transformers on PyTorch in a separate environment."""

from pathlib import Path

import pytest

PEERS_PYTHON = Path(__file__).resolve().parent.parent / ".venv-peers" / "bin" / "python"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs the peers' environment if it is not installed."""
    if item.get_closest_marker("peers") and not PEERS_PYTHON.exists():
        pytest.skip("there is no .venv-peers with PyTorch and transformers; `make peers` installs it")


@pytest.fixture(scope="session")
def peers_python() -> Path:
    """Return the interpreter with PyTorch and transformers, which only tests marked ``peers`` may use."""
    return PEERS_PYTHON
