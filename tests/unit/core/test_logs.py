"""No bot token and no message reaches a log, wherever in a line it stands."""

import logging
from collections.abc import Callable, Iterator

import pytest

from core.logs import configure_logging

TOKEN = "1234567:AAE-abcdefghijklmnopqrstuvwxyz_0123"


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What a process has written to standard error; every logger is put back afterwards."""
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.Logger.manager.loggerDict))]
    before = [(logger, logger.level) for logger in loggers]
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    yield lambda: capsys.readouterr().err
    root.handlers = handlers
    for logger, level in before:
        logger.setLevel(level)


@pytest.mark.parametrize(
    "line",
    [
        f"HTTP Request: POST https://api.telegram.org/bot{TOKEN}/getMe",
        f"https://api.telegram.org/file/bot{TOKEN}/photos/1.jpg",
        f"the token {TOKEN} was rejected",
        f"'{TOKEN}'",
    ],
)
def test_a_token_is_blanked_out(log: Callable[[], str], line: str) -> None:
    configure_logging("INFO")
    logging.getLogger("thumbs.test").warning("%s", line)
    written = log()
    assert TOKEN not in written
    assert "<token>" in written


def test_a_token_in_a_traceback_is_blanked_out(log: Callable[[], str]) -> None:
    configure_logging("INFO")
    try:
        raise ValueError(f"no answer from /bot{TOKEN}/getUpdates")
    except ValueError:
        logging.getLogger("thumbs.test").exception("polling failed", stack_info=True)
    written = log()
    assert "polling failed" in written
    assert "no answer from /bot<token>/getUpdates" in written
    assert TOKEN not in written


def test_other_lines_stay_as_they_are(log: Callable[[], str]) -> None:
    configure_logging("INFO")
    logging.getLogger("thumbs.test").warning("%d rows at %s", 12, "19:05:33,246 of 2026-11-22")
    assert log().endswith(" WARNING thumbs.test: 12 rows at 19:05:33,246 of 2026-11-22\n")


@pytest.mark.parametrize(("template", "arguments"), [("%d rows", (TOKEN,)), ("%s of %s", (TOKEN,)), ("", (TOKEN,))])
def test_a_line_that_cannot_be_written_stays_with_the_log(
    log: Callable[[], str], template: str, arguments: tuple[str, ...]
) -> None:
    configure_logging("INFO")
    logging.getLogger("thumbs.test").warning(template, *arguments)
    written = log()
    assert "Logging error at " in written
    assert "test_logs.py, line " in written
    assert TOKEN not in written


@pytest.mark.parametrize("name", ["telegram", "telegram.Bot", "telegram.ext", "telegram.ext.ExtBot", "httpcore.http11"])
def test_what_telegram_sends_is_not_logged_at_debug(log: Callable[[], str], name: str) -> None:
    configure_logging("DEBUG")
    logging.getLogger("thumbs.test").debug("shown")
    logging.getLogger(name).debug("Webhook received data: %s", "a private review")
    written = log()
    assert "shown" in written
    assert "private" not in written


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("telegram.Bot", "Error while parsing updates! Received data was %r"),
        ("telegram.ext", "Received data was *not* processed! Received data was: %r"),
        ("telegram", 'Can not load invalid JSON data: "%s"'),
    ],
)
@pytest.mark.parametrize("received", [{"text": "a private review"}, [{"text": "a private review"}], "a private review"])
def test_what_cannot_be_parsed_is_told_without_its_content(
    log: Callable[[], str], name: str, template: str, received: object
) -> None:
    configure_logging("INFO")
    logging.getLogger(name).critical(template, received)
    written = log()
    assert template.partition("%")[0] in written
    assert "private" not in written
    assert "Logging error" not in written


def test_a_higher_level_holds_for_libraries_too(log: Callable[[], str]) -> None:
    configure_logging("ERROR")
    for name in ("telegram.ext", "httpx", "thumbs.test"):
        logging.getLogger(name).warning("not shown")
        logging.getLogger(name).error("shown by %s", name)
    written = log()
    assert "not shown" not in written
    assert written.count("shown by") == 3
