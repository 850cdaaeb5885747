"""The first lesson: steps for a newcomer, which whoever starts the playground gives it as data."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from playground.errors import UnusableLesson


class Goal(StrEnum):
    """What a step counts.

    SEEN: the bot's messages in the person's chat whose text and buttons match the pattern.
    ANSWERED: the samples that the bot has answered with a match.
    CHANGED: the samples that the bot has answered with different matches.
    """

    SEEN = "seen"
    ANSWERED = "answered"
    CHANGED = "changed"


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


class Step(BaseModel):
    """One step: what ``person`` should do, texts to send with one click, and when the step is done.

    The step is done when the ``goal`` counts to ``count``. ``unit`` says what is counted, in the plural.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    text: str
    person: int
    goal: Goal
    pattern: Annotated[str, AfterValidator(_check_pattern)]
    samples: tuple[str, ...] = ()
    count: Annotated[int, Field(ge=1)] = 1
    unit: str = ""

    def match(self, shown: str) -> str | None:
        """Return the first match of the pattern in what a message shows, or None."""
        found = re.search(self.pattern, shown, re.DOTALL)
        return None if found is None else found.group()


class Lesson(BaseModel):
    """The steps in order, and what to say at the end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    steps: tuple[Step, ...]
    end: str

    @classmethod
    def read(cls, path: Path) -> "Lesson":
        """Read a lesson from a JSON file, or raise UnusableLesson."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            raise UnusableLesson(path=path, reason=f"{place}: {first['msg']}") from error
        except OSError as error:
            raise UnusableLesson(path=path, reason=error.strerror) from error
