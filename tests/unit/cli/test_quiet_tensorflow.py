"""TensorFlow's messages about the hardware are hidden, and everything else is printed."""

import os

import pytest

from cli.quiet_tensorflow import quiet_tensorflow

NOISE = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    "I0000 00:00:1795920440.108667    3017 port.cc:153] oneDNN custom operations are on.\n"
    "E0000 00:00:1795920465.747588    3017 cuda_platform.cc:52] failed call to cuInit: UNKNOWN ERROR (303)\n"
)
ERROR = "E0000 00:00:1795920465.747588    3017 loader.cc:1] the library is damaged\n"


@pytest.fixture(autouse=True)
def _without_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")  # so that it is restored after the test
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")


def test_notices_are_hidden_and_errors_are_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_tensorflow():
        os.write(2, (NOISE + ERROR).encode())
    os.write(2, b"and then\n")
    assert capfd.readouterr().err == f"{ERROR}and then\n"
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"


def fail_to_import() -> None:
    with quiet_tensorflow():
        os.write(2, ERROR.encode())
        raise ImportError


def test_an_exception_hides_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError):
        fail_to_import()
    assert capfd.readouterr().err == ERROR


def test_nothing_is_hidden_if_a_level_is_set(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with quiet_tensorflow():
        os.write(2, NOISE.encode())
    assert capfd.readouterr().err == NOISE
