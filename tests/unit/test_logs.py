"""No bot token reaches a log, wherever in a line it stands."""

import logging

import pytest

from config.logs import SecretFilter

TOKEN = "1234567:AAE-abcdefghijklmnopqrstuvwxyz_0123"


@pytest.fixture
def logger(caplog: pytest.LogCaptureFixture) -> logging.Logger:
    caplog.handler.addFilter(SecretFilter())
    caplog.handler.setFormatter(logging.Formatter("%(message)s"))
    return logging.getLogger("thumbs.test")


@pytest.mark.parametrize(
    "line",
    [
        f"HTTP Request: POST https://api.telegram.org/bot{TOKEN}/getMe",
        f"https://api.telegram.org/file/bot{TOKEN}/photos/1.jpg",
        f"the token {TOKEN} was rejected",
        f"'{TOKEN}'",
    ],
)
def test_a_token_is_blanked_out(logger: logging.Logger, caplog: pytest.LogCaptureFixture, line: str) -> None:
    logger.warning("%s", line)
    assert TOKEN not in caplog.text
    assert "<token>" in caplog.text


def test_a_token_in_a_traceback_is_blanked_out(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError(f"no answer from /bot{TOKEN}/getUpdates")
    except ValueError:
        logger.exception("polling failed")
    assert "polling failed" in caplog.text
    assert "no answer from /bot<token>/getUpdates" in caplog.text
    assert TOKEN not in caplog.text


def test_other_lines_stay_as_they_are(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    logger.warning("%d rows at %s", 12, "19:05:33,246 of 2026-11-22")
    assert caplog.messages == ["12 rows at 19:05:33,246 of 2026-11-22"]
