"""Serves the Bot API over HTTP, under ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``, and injects faults.

Parameters come from the query, a form, a multipart body or JSON. An official method that the playground does not
implement returns 501, and an unknown name returns 404.
"""

import asyncio
import hmac
from functools import partial

from tornado.web import HTTPError, RequestHandler

from playground.api.body import BodyHandler
from playground.api.bot_method import BotMethod
from playground.api.calls import METHODS, UNRECORDED, Outcome, call, record, refusal, unread_parameters
from playground.api.official_method_names import OFFICIAL_METHODS
from playground.api.requests import read_values
from playground.state.faults import Fault
from playground.state.world import World
from playground.wire import ApiError, encode, not_built

_OFFICIAL = {name.lower(): name for name in OFFICIAL_METHODS}
_FOREVER = 10.0**9
_UNPROCESSED = ("dropped_before", "hang", "html_502")
_HTML_502 = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class BotApiHandler(BodyHandler):
    """Handles a call to a Bot API method."""

    _cancellable: asyncio.Task[Outcome | None] | None = None
    """The call to cancel if the bot hangs up. Calls that change something are completed anyway."""

    def initialize(self, world: World) -> None:
        """Store the world, which the routes pass to each handler."""
        self.world = world

    async def get(self, token: str, name: str) -> None:
        """Handle a GET call in the same way as a POST call."""
        await self.post(token, name)

    async def post(self, token: str, name: str) -> None:
        """Execute the call and respond, or apply a pending fault instead."""
        try:
            method = _find_method(self.world, token, name)
            self.read_body()
        except ApiError as error:
            self._refuse(error)
            return
        fault = self.world.faults.for_call(method.official_name())
        if fault is not None:
            self.world.changes.publish("faults", faults=self.world.faults.to_json())
        task = asyncio.ensure_future(self._call(method, fault))
        if method.official_name() == UNRECORDED or (fault is not None and fault.kind == "hang"):
            self._cancellable = task
        try:
            outcome = await task
        except asyncio.CancelledError:
            # The bot hung up or the server is stopping, so nobody would read the response.
            return
        if outcome is not None:
            self._write(outcome)

    def on_connection_close(self) -> None:
        """Cancel a waiting call when the bot disconnects."""
        if self._cancellable is not None:
            self._cancellable.cancel()

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Report Tornado's errors, such as a broken multipart body, in the Bot API's format."""
        self._refuse(ApiError(status_code, f"{self._reason}"))

    async def _call(self, method: type[BotMethod], fault: Fault | None) -> Outcome | None:
        """Return the response to send, or None if nothing should be sent."""
        if fault is None:
            outcome = await call(self.world, method, partial(read_values, self.request))
            record(self.world, method, outcome)
            return outcome
        error = fault.error()
        if error is not None:
            outcome = refusal(error, unread_parameters(method, self.request))
        elif fault.kind in _UNPROCESSED:
            outcome = Outcome(502, {"ok": False}, unread_parameters(method, self.request))
        else:
            await asyncio.sleep(fault.seconds if fault.kind == "slow" else 0)
            outcome = await call(self.world, method, partial(read_values, self.request))
        record(self.world, method, outcome, fault.kind)
        return outcome if await self._must_answer(fault.kind) else None

    async def _must_answer(self, kind: str) -> bool:
        """If the fault replaces the response, apply it. Return whether the outcome still has to be sent."""
        if kind == "html_502":
            self.set_status(502)
            self.set_header("Content-Type", "text/html")
            self.finish(_HTML_502)
        elif kind == "hang":
            resets = self.world.resets
            await self.world.changes.wait_until(lambda: self.world.resets != resets, _FOREVER)
            self.detach().close()
        elif kind in ("dropped_before", "answer_lost"):
            self.detach().close()
        else:
            return True
        return False

    def _refuse(self, error: ApiError) -> None:
        self._write(refusal(error, {}))

    def _write(self, outcome: Outcome) -> None:
        self.set_status(outcome.status)
        self.set_header("Content-Type", "application/json")
        self.finish(encode(outcome.body))


class BotFileHandler(RequestHandler):
    """Serves files under the paths that getFile returns."""

    def initialize(self, world: World) -> None:
        """Store the world, which the routes pass to each handler."""
        self.world = world

    def get(self, token: str, path: str) -> None:
        """Send the file's contents."""
        if not _tokens_match(token, self.world.token):
            raise HTTPError(401)
        try:
            content = self.world.files.content(path)
        except FileNotFoundError as error:
            raise HTTPError(404) from error
        self.set_header("Content-Type", "application/octet-stream")
        self.finish(content)


def _find_method(world: World, token: str, name: str) -> type[BotMethod]:
    if not _tokens_match(token, world.token):
        raise ApiError(401, "Unauthorized")
    method = METHODS.get(name.lower())
    if method is not None:
        return method
    if name.lower() in _OFFICIAL:
        raise not_built(f"method {_OFFICIAL[name.lower()]}")
    raise ApiError(404, "Not Found")


def _tokens_match(token: str, expected: str) -> bool:
    return hmac.compare_digest(token.encode(), expected.encode())
