"""Tests marked ``peers`` compare with transformers on PyTorch, which live in an environment of their own."""

from pathlib import Path

import pytest

PEERS_PYTHON = Path(__file__).resolve().parent.parent / ".venv-peers" / "bin" / "python"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs the peers' environment where it has not been made."""
    if item.get_closest_marker("peers") and not PEERS_PYTHON.exists():
        pytest.skip("there is no .venv-peers with PyTorch and transformers; `make peers` makes it")


@pytest.fixture(scope="session")
def peers_python() -> Path:
    """The interpreter that has PyTorch and transformers; only for tests marked ``peers``."""
    return PEERS_PYTHON
