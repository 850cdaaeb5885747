"""The HTTP server, with its routes, startup and shutdown."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, StaticFileHandler

from core.errors import PortTaken
from playground.api.http import BotApiHandler, BotFileHandler
from playground.api.webhook_answers import call_method_in_answer
from playground.sim.browser_checks import LocalHandler
from playground.sim.http import (
    AboutHandler,
    ActionHandler,
    ChatHandler,
    EventsHandler,
    FileHandler,
    LessonHandler,
    OutboxHandler,
    StatusHandler,
)
from playground.state.world import World

PAGE = Path(__file__).with_name("page")


@dataclass(frozen=True, slots=True)
class Address:
    """The address to listen on. Port 0 means any free port."""

    host: str
    port: int


class PageHandler(LocalHandler, StaticFileHandler):
    """Serves the chat page, which loads nothing from other sites and cannot be shown in a frame."""

    def set_extra_headers(self, path: str) -> None:
        """Prevent browsers from using stale copies of the page."""
        self.set_header("Cache-Control", "no-cache")


def make_application(world: World, host: str) -> Application:
    """Return the application with all routes.

    The application accepts requests for ``host`` or for any of this machine's own names.
    """
    arguments = {"world": world}
    return Application(
        [
            (r"/bot([^/]+)/([A-Za-z]+)", BotApiHandler, arguments),
            (r"/file/bot([^/]+)/(.+)", BotFileHandler, arguments),
            (r"/sim/outbox", OutboxHandler, arguments),
            (r"/sim/chat/(-?\d{1,19})", ChatHandler, arguments),
            (r"/sim/events", EventsHandler, arguments),
            (r"/sim/status", StatusHandler, arguments),
            (r"/sim/about", AboutHandler, arguments),
            (r"/sim/lesson", LessonHandler, arguments),
            (r"/sim/file/([\w-]+)", FileHandler, arguments),
            (r"/sim/(\w+)", ActionHandler, arguments),
            (r"/(.*)", PageHandler, {"path": str(PAGE), "default_filename": "index.html"}),
        ],
        listening_host=host,
    )


async def serve(address: Address, world: World, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, and call ``on_ready`` with the page's address.

    Raise PortTaken if another program is using the port.
    """
    server = HTTPServer(make_application(world, address.host))
    port = _listen(server, address)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    deliveries = asyncio.create_task(world.webhook.deliver(partial(call_method_in_answer, world)))
    on_ready(f"http://{address.host}:{port}")
    await stop.wait()
    server.stop()
    deliveries.cancel()
    world.close()
    await server.close_all_connections()
    world.chats.close()


def _listen(server: HTTPServer, address: Address) -> int:
    try:
        sockets = bind_sockets(address.port, address.host)
    except OSError as error:
        raise PortTaken(port=address.port, host=address.host, reason=error.strerror) from error
    server.add_sockets(sockets)
    return int(sockets[0].getsockname()[1])
