"""Runs the bot in a separate process with ``python -m bot``."""

import sys

from bot.main import run
from core.errors import ThumbsError
from core.settings import read_settings

if __name__ == "__main__":
    try:
        run(read_settings())
    except ThumbsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
