"""Draws pictures in a child process, which receives figures as JSON and returns a PNG."""

import asyncio
import json
import sys
from typing import Any, Final

# Seconds that a picture may take. Loading the library alone takes a second or two.
_TIMEOUT: Final = 60.0


class PictureFailed(RuntimeError):
    """The child process failed or took too long."""


async def draw(picture: str, figures: dict[str, Any]) -> bytes:
    """Draw one of the pictures in ``bot.pictures.draw`` and return it as a PNG. Raise PictureFailed on failure."""
    arguments = (sys.executable, "-m", "bot.pictures.draw", picture)
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*arguments, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        png, errors = await asyncio.wait_for(child.communicate(json.dumps(figures).encode()), _TIMEOUT)
    except TimeoutError:
        child.kill()
        await child.wait()
        raise PictureFailed(f"the picture took longer than {_TIMEOUT:.0f} seconds") from None
    if child.returncode:
        last = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise PictureFailed(last or f"the picture's process ended with exit status {child.returncode}")
    return png
