"""A Bot API method as a class: its fields are its parameters, and ``call`` does the work.

To add a method, write its class with the official name and put ``@METHODS.add`` above it.
"""

from abc import abstractmethod
from typing import TypeVar

from playground.api.parameters import Parameters
from playground.state.world import World


class BotMethod(Parameters):
    """One method. The class has the method's official name with a capital letter: GetMe is getMe."""

    @classmethod
    def official_name(cls) -> str:
        """Return the name as Telegram writes it."""
        return cls.__name__[0].lower() + cls.__name__[1:]

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
