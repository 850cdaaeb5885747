"""Bot API over HTTP: ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``, faults included.

The token in the address is checked as Telegram does. A call comes as query, form, multipart or JSON; a name that is
official but not built answers 501, and only one that is not official 404.
"""

import asyncio
import hmac
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler

from playground.api import bot_methods, message_methods
from playground.api.method_names import OFFICIAL_METHODS
from playground.api.method_table import Method
from playground.api.parameters import attached, read_parameters
from playground.api.requests import given_parameters
from playground.state.faults import Fault
from playground.state.world import World
from playground.wire import ApiError, JsonObject, Upload, encode, not_built

METHODS: Mapping[str, Method] = bot_methods.METHODS | message_methods.METHODS
_OFFICIAL = {name.lower(): name for name in OFFICIAL_METHODS}
_FOREVER = 10.0**9
_UNRECORDED = "getUpdates"
_UNPROCESSED = ("dropped_before", "hang", "html_502")
_HTML_502 = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call: an answer's status and body, and the values that the method got."""

    status: int
    body: JsonObject
    params: JsonObject

    @property
    def result(self) -> object:
        """The result; for an error its members without ``ok``; None where the bot gets no JSON at all."""
        if self.body["ok"]:
            return self.body["result"]
        return {name: value for name, value in self.body.items() if name != "ok"} or None


class BotApiHandler(RequestHandler):
    """One call of one method."""

    _waiting: asyncio.Task[Outcome | None] | None = None
    """What a bot that hangs up no longer waits for. Calls that change something are carried out all the same."""

    def initialize(self, world: World) -> None:
        """Get the world from the table of routes."""
        self.world = world

    async def get(self, token: str, name: str) -> None:
        """Calls may be GET or POST."""
        await self.post(token, name)

    async def post(self, token: str, name: str) -> None:
        """Answer one call, or do what an ordered fault wants instead."""
        try:
            method = _method(self.world, token, name)
        except ApiError as error:
            self._refuse(error)
            return
        fault = self.world.faults.for_call(method.name)
        if fault is not None:
            self.world.changes.publish("faults", faults=self.world.faults.to_json())
        task = asyncio.ensure_future(self._carry_out(method, fault))
        if method.name == _UNRECORDED or (fault is not None and fault.kind == "hang"):
            self._waiting = task
        try:
            outcome = await task
        except asyncio.CancelledError:
            # The bot hung up, or the server stops: nobody is left to answer.
            return
        if outcome is not None:
            self._write(outcome)

    def on_connection_close(self) -> None:
        """Stop waiting for a bot that has hung up."""
        if self._waiting is not None:
            self._waiting.cancel()

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Answer what tornado refuses, such as a broken multipart body, in the Bot API's form."""
        self._refuse(ApiError(status_code, f"{self._reason}"))

    async def _carry_out(self, method: Method, fault: Fault | None) -> Outcome | None:
        """The answer to send, or None when there is to be none."""
        if fault is None:
            outcome = await call(self.world, method, self.request)
            self._record(method, outcome, None)
            return outcome
        error = fault.error()
        if error is not None:
            outcome = _refusal(error, _as_given(method, self.request))
        elif fault.kind in _UNPROCESSED:
            outcome = Outcome(502, {"ok": False}, _as_given(method, self.request))
        else:
            await asyncio.sleep(fault.seconds if fault.kind == "slow" else 0)
            outcome = await call(self.world, method, self.request)
        self._record(method, outcome, fault.kind)
        return outcome if await self._answers(fault.kind) else None

    async def _answers(self, kind: str) -> bool:
        """Whether the outcome is to be sent; if not, do to the connection what the fault wants."""
        if kind == "html_502":
            self.set_status(502)
            self.set_header("Content-Type", "text/html")
            self.finish(_HTML_502)
        elif kind == "hang":
            resets = self.world.resets
            await self.world.changes.until(lambda: self.world.resets != resets, _FOREVER)
            self.detach().close()
        elif kind in ("dropped_before", "answer_lost"):
            self.detach().close()
        else:
            return True
        return False

    def _record(self, method: Method, outcome: Outcome, fault: str | None) -> None:
        if method.name != _UNRECORDED:
            ok = bool(outcome.body["ok"])
            self.world.outbox.add(method.name, outcome.params, ok=ok, result=outcome.result, fault=fault)

    def _refuse(self, error: ApiError) -> None:
        self._write(_refusal(error, {}))

    def _write(self, outcome: Outcome) -> None:
        self.set_status(outcome.status)
        self.set_header("Content-Type", "application/json")
        self.finish(encode(outcome.body))


class BotFileHandler(RequestHandler):
    """Downloads of files that getFile has named."""

    def initialize(self, world: World) -> None:
        """Get the world from the table of routes."""
        self.world = world

    def get(self, token: str, path: str) -> None:
        """Send the file's bytes."""
        if not _same(token, self.world.token):
            raise HTTPError(401)
        try:
            content = self.world.files.content(path)
        except FileNotFoundError as error:
            raise HTTPError(404) from error
        self.set_header("Content-Type", "application/octet-stream")
        self.finish(content)


async def call(world: World, method: Method, request: HTTPServerRequest) -> Outcome:
    """Read the parameters and carry the method out."""
    params: JsonObject = {}
    try:
        params = given_parameters(request)
        params = read_parameters(method.parameters, attached(params))
        result = method.carry_out(world, params)
        if inspect.isawaitable(result):
            result = await result
    except ApiError as error:
        return _refusal(error, _logged(method, params))
    return Outcome(200, {"ok": True, "result": result}, _logged(method, params))


def _method(world: World, token: str, name: str) -> Method:
    if not _same(token, world.token):
        raise ApiError(401, "Unauthorized")
    method = METHODS.get(name.lower())
    if method is not None:
        return method
    if name.lower() in _OFFICIAL:
        raise not_built(f"method {_OFFICIAL[name.lower()]}")
    raise ApiError(404, "Not Found")


def _same(token: str, expected: str) -> bool:
    return hmac.compare_digest(token.encode(), expected.encode())


def _refusal(error: ApiError, params: JsonObject) -> Outcome:
    return Outcome(error.code, error.to_api(), params)


def _as_given(method: Method, request: HTTPServerRequest) -> JsonObject:
    """What was given, for the list of calls, of a call that is not carried out."""
    try:
        return _logged(method, given_parameters(request))
    except ApiError:
        return {}


def _logged(method: Method, params: JsonObject) -> JsonObject:
    """Values for the list of calls: objects and arrays in forms are read, files described."""
    structured = {name for name, parameter in method.parameters.items() if parameter.kind.structured}
    return {name: _readable(value, structured=name in structured) for name, value in params.items()}


def _readable(value: object, *, structured: bool) -> object:
    if isinstance(value, Upload):
        return value.to_log()
    if structured and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
