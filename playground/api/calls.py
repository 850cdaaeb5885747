"""Executes Bot API calls, and records them in the call log."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tornado.httputil import HTTPServerRequest

from playground.api import edit_methods, profile_methods, send_methods, update_methods
from playground.api.bot_method import BotMethod
from playground.api.parameters import resolve_attachments
from playground.api.requests import read_values
from playground.state.world import World
from playground.wire import ApiError, JsonObject, Upload

METHODS: Mapping[str, type[BotMethod]] = {
    **profile_methods.METHODS,
    **update_methods.METHODS,
    **send_methods.METHODS,
    **edit_methods.METHODS,
}
UNRECORDED = "getUpdates"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The response to a call, and the call's parameters for the log."""

    status: int
    body: JsonObject
    params: JsonObject

    @property
    def result(self) -> object:
        """The result, or an error's members except ``ok``, or None if the bot does not receive JSON."""
        if self.body["ok"]:
            return self.body["result"]
        return {name: value for name, value in self.body.items() if name != "ok"} or None


async def call(world: World, method: type[BotMethod], read: Callable[[], JsonObject]) -> Outcome:
    """Call the method with the parameters from ``read``, which may raise ApiError."""
    params: JsonObject = {}
    try:
        given = read()
        params = _loggable(method, given)
        parameters = method.read(resolve_attachments(given))
        unknown = {name: value for name, value in params.items() if name not in method.model_fields}
        params = {**unknown, **parameters.to_json()}
        result = parameters.call(world)
        if inspect.isawaitable(result):
            result = await result
    except ApiError as error:
        return refusal(error, params)
    return Outcome(200, {"ok": True, "result": result}, params)


def record(world: World, method: type[BotMethod], outcome: Outcome, fault: str | None = None) -> None:
    """Add the call to the log, unless it is a getUpdates call."""
    name = method.official_name()
    if name != UNRECORDED:
        ok = bool(outcome.body["ok"])
        world.outbox.add(name, outcome.params, ok=ok, result=outcome.result, fault=fault)


def refusal(error: ApiError, params: JsonObject) -> Outcome:
    """Return the outcome of a rejected call."""
    return Outcome(error.code, error.to_api(), params)


def unread_parameters(method: type[BotMethod], request: HTTPServerRequest) -> JsonObject:
    """Return the parameters to log for a call that is not executed."""
    try:
        return _loggable(method, read_values(request))
    except ApiError:
        return {}


def _loggable(method: type[BotMethod], given: JsonObject) -> JsonObject:
    """Return unchecked values for the call log. Objects and arrays in forms are parsed, and uploads are described."""
    return {name: _loggable_value(value, method.parse_text(name, value)) for name, value in given.items()}


def _loggable_value(value: object, parsed: object) -> object:
    if isinstance(value, Upload):
        return value.to_log()
    return parsed if isinstance(parsed, dict | list) else value
