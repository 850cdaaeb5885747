"""The server: its routes, and its life from the first request to the signal that stops it."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, StaticFileHandler

from core.errors import PortTaken
from playground.api.http import BotApiHandler, BotFileHandler
from playground.sim.http import (
    AboutHandler,
    ActionHandler,
    ChatHandler,
    EventsHandler,
    OutboxHandler,
    PictureHandler,
    StatusHandler,
)
from playground.state.world import World, open_world

PAGE = Path(__file__).with_name("page")
_UPLOAD_LIMIT = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 takes any free one."""

    host: str
    port: int


class PageHandler(StaticFileHandler):
    """The chat page, which loads nothing from elsewhere."""

    def set_extra_headers(self, path: str) -> None:
        """Keep the page's code fresh and alone."""
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Content-Security-Policy", "default-src 'self'; img-src 'self' blob: data:")


def make_application(world: World) -> Application:
    """The table of routes."""
    given = {"world": world}
    return Application(
        [
            (r"/bot([^/]+)/([A-Za-z]+)", BotApiHandler, given),
            (r"/file/bot([^/]+)/(.+)", BotFileHandler, given),
            (r"/sim/outbox", OutboxHandler, given),
            (r"/sim/chat/(-?\d{1,19})", ChatHandler, given),
            (r"/sim/events", EventsHandler, given),
            (r"/sim/status", StatusHandler, given),
            (r"/sim/about", AboutHandler, given),
            (r"/sim/file/([\w-]+)", PictureHandler, given),
            (r"/sim/(\w+)", ActionHandler, given),
            (r"/(.*)", PageHandler, {"path": str(PAGE), "default_filename": "index.html"}),
        ]
    )


async def serve(address: Address, data_dir: Path, token: str, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` gets the page's address. Raises PortTaken."""
    world = open_world(data_dir, token)
    server = HTTPServer(make_application(world), max_buffer_size=_UPLOAD_LIMIT)
    port = _listen(server, address)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    deliveries = asyncio.create_task(world.webhook.deliver())
    ready(f"http://{address.host}:{port}")
    await stop.wait()
    server.stop()
    deliveries.cancel()
    world.close()
    await server.close_all_connections()


def _listen(server: HTTPServer, address: Address) -> int:
    try:
        sockets = bind_sockets(address.port, address.host)
    except OSError as error:
        raise PortTaken(port=address.port, host=address.host, reason=error.strerror) from error
    server.add_sockets(sockets)
    return int(sockets[0].getsockname()[1])
