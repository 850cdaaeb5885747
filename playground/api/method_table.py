"""A table of Bot API methods: what each takes and the function that carries it out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playground.api.parameters import Parameter
from playground.state.world import World
from playground.wire import JsonObject

MethodFunction = Callable[[World, JsonObject], object | Awaitable[object]]
"""Gets the values that were given, already checked; returns the answer's result or raises ApiError."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method under its official name."""

    name: str
    parameters: dict[str, Parameter]
    carry_out: MethodFunction


class MethodTable(dict[str, Method]):
    """Methods by their names in small letters, as Telegram disregards case."""

    def method(self, name: str, /, **parameters: Parameter) -> Callable[[MethodFunction], MethodFunction]:
        """Enter the decorated function."""

        def enter(function: MethodFunction) -> MethodFunction:
            self[name.lower()] = Method(name, parameters, function)
            return function

        return enter
