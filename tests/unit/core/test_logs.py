"""No bot token or user's text gets into a log, no matter where it occurs in a line."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from core.logs import configure_logging, update_context

TOKEN = "1234567:AAE-abcdefghijklmnopqrstuvwxyz_0123"


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Return a function that returns the log since its last call. Restore all loggers afterwards."""
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
def test_a_token_is_redacted(log: Callable[[], str], line: str) -> None:
    configure_logging("INFO")
    logging.getLogger("thumbs.test").warning("%s", line)
    written = log()
    assert TOKEN not in written
    assert "<token>" in written


def test_a_token_in_a_traceback_is_redacted(log: Callable[[], str]) -> None:
    configure_logging("INFO")
    try:
        raise ValueError(f"no answer from /bot{TOKEN}/getUpdates")
    except ValueError:
        logging.getLogger("thumbs.test").exception("polling failed", stack_info=True)
    written = log()
    assert "polling failed" in written
    assert "no answer from /bot<token>/getUpdates" in written
    assert TOKEN not in written


def test_other_lines_are_unchanged(log: Callable[[], str]) -> None:
    configure_logging("INFO")
    logging.getLogger("thumbs.test").warning("%d rows at %s", 12, "19:05:33,246 of 2026-11-22")
    assert log().endswith(" WARNING thumbs.test: 12 rows at 19:05:33,246 of 2026-11-22\n")


@pytest.mark.parametrize(("template", "arguments"), [("%d rows", (TOKEN,)), ("%s of %s", (TOKEN,)), ("", (TOKEN,))])
def test_a_record_that_cannot_be_formatted_is_reported_without_its_arguments(
    log: Callable[[], str], template: str, arguments: tuple[str, ...]
) -> None:
    configure_logging("INFO")
    logging.getLogger("thumbs.test").warning(template, *arguments)
    written = log()
    assert "Logging error at " in written
    assert "test_logs.py, line " in written
    assert TOKEN not in written


@pytest.mark.parametrize("name", ["telegram", "telegram.Bot", "telegram.ext", "telegram.ext.ExtBot", "httpcore.http11"])
def test_data_from_telegram_is_not_logged_at_debug(log: Callable[[], str], name: str) -> None:
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
def test_data_that_cannot_be_parsed_is_reported_without_its_content(
    log: Callable[[], str], name: str, template: str, received: object
) -> None:
    configure_logging("INFO")
    logging.getLogger(name).critical(template, received)
    written = log()
    assert template.partition("%")[0] in written
    assert "private" not in written
    assert "Logging error" not in written


def test_a_higher_level_applies_to_libraries_too(log: Callable[[], str]) -> None:
    configure_logging("ERROR")
    for name in ("telegram.ext", "httpx", "thumbs.test"):
        logging.getLogger(name).warning("not shown")
        logging.getLogger(name).error("shown by %s", name)
    written = log()
    assert "not shown" not in written
    assert written.count("shown by") == 3


def test_json_has_one_object_for_each_event(log: Callable[[], str]) -> None:
    configure_logging("INFO", "json")
    logger = logging.getLogger("thumbs.test")
    try:
        raise ValueError(f"no answer from /bot{TOKEN}/getUpdates")
    except ValueError:
        logger.exception("polling failed\nwith %s", "two lines")
    logger.info("answered", extra={"seconds": 0.5})
    failed, answered = map(json.loads, log().splitlines())
    assert (failed["level"], failed["logger"], failed["message"]) == (
        "ERROR",
        "thumbs.test",
        "polling failed\nwith two lines",
    )
    assert "no answer from /bot<token>/getUpdates" in failed["exc_info"]
    assert datetime.fromisoformat(failed["timestamp"]).tzinfo is not None
    assert answered["seconds"] == 0.5
    assert not {"context", "update_id"} & answered.keys()


def test_a_record_names_the_update_that_its_task_handles(log: Callable[[], str]) -> None:
    logger = logging.getLogger("thumbs.test")
    for form in ("text", "json"):
        configure_logging("INFO", form)
        with update_context(12):
            logger.info("classified")
        logger.info("idle")
    text, idle, classified, idle_json = log().splitlines()
    assert text.endswith("thumbs.test: classified (update 12)")
    assert idle.endswith("thumbs.test: idle")
    assert json.loads(classified)["update_id"] == 12
    assert "update_id" not in json.loads(idle_json)


@pytest.mark.parametrize(
    "before", ["\N{LATIN SMALL LETTER E WITH ACUTE}", "\0", "\u0660", "\udcff", "\n", "\\u00e", ""]
)
def test_a_line_of_json_without_the_token_is_still_json(log: Callable[[], str], before: str) -> None:
    configure_logging("INFO", "json")
    try:
        raise ValueError(before + TOKEN)
    except ValueError:
        logging.getLogger("thumbs.test").exception("%s%s", before, TOKEN, extra={"url": before + TOKEN})
    line = log()
    assert TOKEN not in line
    assert line.count("\n") == 1
    written = json.loads(line)
    assert written["message"] == f"{before}<token>"
    assert written["url"] == f"{before}<token>"
    assert f"{before}<token>" in written["exc_info"]
