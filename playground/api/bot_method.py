"""A Bot API method as a class: its fields are its parameters, and ``call`` does the work.

To add a method, write its class with the official name and put ``@METHODS.add`` above it.
"""

from abc import abstractmethod
from typing import TypeVar

from pydantic import ConfigDict, ValidationError

from playground.api.parameters import Parameters, first_error
from playground.state.world import World
from playground.wire import encode

_MISSING = {
    "chat_id": "chat_id is empty",
    "message_id": "message identifier is not specified",
    "document": "there is no document in the request",
    "photo": "there is no photo in the request",
    "action": "wrong parameter action in request",
}
"""What Telegram answers when a parameter is missing or empty."""


class BotMethod(Parameters):
    """One method. The class has the method's official name with a capital letter: GetMe is getMe.

    Parameters without a field are ignored.
    """

    model_config = ConfigDict(extra="ignore")

    @classmethod
    def describe(cls, error: ValidationError) -> str:
        """Return the first error in the words that bots look for, if Telegram has its own words for it."""
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "missing" or first["input"] == "":
            return _MISSING.get(name) or first_error(error)
        return "chat not found" if name == "chat_id" else first_error(error)

    @classmethod
    def official_name(cls) -> str:
        """Return the name as Telegram writes it."""
        return cls.__name__[0].lower() + cls.__name__[1:]

    @classmethod
    def parse_text(cls, name: str, value: object) -> object:
        """Read a number or a boolean of a JSON body as its text, as Telegram does: 5 is a text, and 1 is true."""
        is_known_scalar = name in cls.model_fields and isinstance(value, bool | int | float)
        return super().parse_text(name, encode(value) if is_known_scalar else value)

    @abstractmethod
    def call(self, world: World) -> object:
        """Return the result of the answer, or an awaitable of it. Raises ApiError."""


AnyMethod = TypeVar("AnyMethod", bound=type[BotMethod])


class MethodTable(dict[str, type[BotMethod]]):
    """Methods by their names in lower case, since Telegram ignores case."""

    def add(self, method: AnyMethod) -> AnyMethod:
        """Enter the decorated class."""
        self[method.official_name().lower()] = method
        return method
