"""The base class for Bot API methods: the fields are the parameters, and ``call`` does the work.

To add a method, write a class with the official name and decorate it with ``@METHODS.add``.
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
"""Telegram's error messages for missing or empty parameters."""


class BotMethod(Parameters):
    """A Bot API method. The class is named after the method, with a capital letter: GetMe for getMe.

    Parameters that have no field are ignored.
    """

    model_config = ConfigDict(extra="ignore")

    @classmethod
    def describe(cls, error: ValidationError) -> str:
        """Return the first error, in Telegram's exact words where these are known, because bots check for them."""
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "missing" or first["input"] == "":
            return _MISSING.get(name) or first_error(error)
        return "chat not found" if name == "chat_id" else first_error(error)

    @classmethod
    def official_name(cls) -> str:
        """Return the method's name as Telegram spells it."""
        return cls.__name__[0].lower() + cls.__name__[1:]

    @classmethod
    def parse_text(cls, name: str, value: object) -> object:
        """Convert numbers and booleans in a JSON body to text first.

        Like Telegram, this accepts the number 5 as text and the number 1 as true.
        """
        is_known_scalar = name in cls.model_fields and isinstance(value, bool | int | float)
        return super().parse_text(name, encode(value) if is_known_scalar else value)

    @abstractmethod
    def call(self, world: World) -> object:
        """Return the result for the response, or an awaitable that returns it, or raise ApiError."""


AnyMethod = TypeVar("AnyMethod", bound=type[BotMethod])


class MethodTable(dict[str, type[BotMethod]]):
    """Maps lower-case names to methods, because Telegram ignores case."""

    def add(self, method: AnyMethod) -> AnyMethod:
        """Add the decorated class to the table."""
        self[method.official_name().lower()] = method
        return method
