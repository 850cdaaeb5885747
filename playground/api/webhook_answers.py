"""Calls the method named in the body of a bot's response to a webhook request.

The bot receives neither the result nor an error, but the call log records both.
"""

from tornado.httpclient import HTTPResponse

from playground.api.calls import METHODS, call, record
from playground.api.requests import read_answer
from playground.state.world import World
from playground.wire import ApiError

_NEVER_CALLED = frozenset({"deletewebhook", "setwebhook", "close", "logout"})


async def call_method_in_answer(world: World, response: HTTPResponse) -> None:
    """Call the method with the other values in the body.

    Do nothing if the response does not name a method that may be called.
    """
    try:
        values = read_answer(response)
    except ApiError:
        return
    name = str(values.pop("method", "")).lower()
    method = METHODS.get(name)
    if method is None or name in _NEVER_CALLED or name.startswith("get"):
        return
    record(world, method, await call(world, method, lambda: values))
