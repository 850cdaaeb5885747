"""Entry point for ``python -m playground``: serves a local Bot API and its chat page until SIGINT or SIGTERM.

The bot's token comes from the TELEGRAM_TOKEN environment variable. The token cannot be given on the command line, where
every user of the machine could read it.
"""

import argparse
import asyncio
import os
import re
import sys
from pathlib import Path

from core.errors import ThumbsError
from core.logs import configure_logging
from playground.server import Address, serve
from playground.state.lesson import Lesson
from playground.state.world import open_world

_TOKEN_VARIABLE = "TELEGRAM_TOKEN"  # noqa: S105  # the name of a variable, not a secret


def main() -> int:
    """Run the server and return the exit status of the process."""
    options, token = _read_arguments()
    configure_logging("INFO")
    try:
        lesson = None if options.lesson is None else Lesson.read(options.lesson)
        world = open_world(options.data_dir, token, lesson)
        asyncio.run(serve(Address(options.host, options.port), world, _print_ready))
    except ThumbsError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _read_arguments() -> tuple[argparse.Namespace, str]:
    """Return the command-line options and the bot's token."""
    parser = argparse.ArgumentParser(prog="python -m playground", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8081, help="port, or 0 for any free port (default: %(default)s)")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder for chats, pending updates and files")
    parser.add_argument("--lesson", type=Path, help="JSON file with a first lesson for the page (default: no lesson)")
    options = parser.parse_args()
    token = os.environ.get(_TOKEN_VARIABLE, "")
    if not re.fullmatch(r"\d+:[A-Za-z0-9_-]+", token):
        parser.error(f"{_TOKEN_VARIABLE} is not a bot token; set it to one like 1234567:some-letters")
    return options, token


def _port(value: str) -> int:
    if not value.isdecimal() or int(value) > 65535:
        raise argparse.ArgumentTypeError(f"{value!r} is not a port; give a number from 0 to 65535")
    return int(value)


def _print_ready(address: str) -> None:
    sys.stdout.write(f"playground listening on {address}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
