"""The JSON API under ``/sim/...``, which the page, tests and drivers use to act as people.

The response to a rejected request is ``{"error": "..."}`` with status 400, 403, 404, 413 or 501. A private chat has the
same id as the person, so ``chat_id`` and ``user_id`` are interchangeable.
"""

from typing import Annotated, TypeVar

from tornado.iostream import StreamClosedError

from playground.api.body import BodyHandler
from playground.api.parameter_types import between
from playground.api.parameters import Parameters
from playground.api.requests import read_values
from playground.sim import actions
from playground.sim.action import person_id
from playground.sim.action_table import ACTIONS
from playground.sim.browser_checks import LocalHandler
from playground.state.faults import KINDS
from playground.state.people import ADMIN_ID, DEFAULT_PERSON_ID, all_people
from playground.state.profile import localized
from playground.state.world import World
from playground.wire import ApiError, encode, not_built

_LONGEST_WAIT_SECONDS = 120
_NOT_BUILT = {"react": "reactions", "inline": "inline queries", "member": "groups"}
_Query = TypeVar("_Query", bound=Parameters)


class WaitQuery(Parameters):
    """Parameters for a request that can wait for a result."""

    wait: Annotated[int, between(0, _LONGEST_WAIT_SECONDS)] = 0


class SinceQuery(WaitQuery):
    """Parameters for a request that returns changes since a call number or chat version."""

    since: int | None = None


class AboutQuery(Parameters):
    """Parameters for a request that describes the bot as a person sees it."""

    user_id: int = DEFAULT_PERSON_ID


class SimHandler(LocalHandler):
    """The base class for all handlers under ``/sim``, which reads parameters and reports errors in JSON."""

    def initialize(self, world: World) -> None:
        """Store the world that the routes pass to each handler."""
        self.world = world

    def read(self, model: type[_Query]) -> _Query:
        """Return the request's validated parameters, or raise ApiError."""
        return model.read(read_values(self.request))

    def answer(self, value: object) -> None:
        """Send JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(encode(value))

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Report an error as ``{"error": ...}``."""
        self.answer({"error": self.error_description(**kwargs)})


class ActionHandler(BodyHandler, SimHandler):
    """POST /sim/<action>."""

    def prepare(self) -> None:
        """Prepare to read the body.

        The body must be read before a response is sent, because otherwise the sender would not read the response.
        """
        BodyHandler.prepare(self)

    def post(self, name: str) -> None:
        """Perform one action."""
        self.check_sender()
        self.read_body()
        if name in _NOT_BUILT:
            raise not_built(_NOT_BUILT[name])
        action = ACTIONS.get(name)
        if action is None:
            raise ApiError(404, f"Not Found: there is no /sim/{name}; the actions are {', '.join(ACTIONS)}")
        self.answer(self.read(action).perform(self.world))


class OutboxHandler(SimHandler):
    """GET /sim/outbox?since=N&wait=SECONDS."""

    async def get(self) -> None:
        """Return the bot's calls with numbers above ``since``, waiting for the first one."""
        query = self.read(SinceQuery)
        calls = await self.world.outbox.since(query.since or 0, query.wait)
        self.answer([call.to_json() for call in calls])


class ChatHandler(SimHandler):
    """GET /sim/chat/<id>?since=VERSION&wait=SECONDS."""

    async def get(self, chat_id: str) -> None:
        """Return the chat as the user sees it, once its version is above ``since`` (default: the current version)."""
        query = self.read(SinceQuery)
        chat = self.world.chats.open(person_id(chat_id=int(chat_id)))
        since = chat.version if query.since is None else query.since
        await self.world.changes.wait_until(lambda: chat.version > since, query.wait)
        self.answer(actions.chat_to_json(self.world, chat.id))


class StatusHandler(SimHandler):
    """GET /sim/status?wait=SECONDS."""

    async def get(self) -> None:
        """Wait for the bot to listen, then report whether it does."""
        query = self.read(WaitQuery)
        await self.world.changes.wait_until(self._bot_listens, query.wait)
        self.answer(self.world.status())

    def _bot_listens(self) -> bool:
        return self.world.updates.polling or bool(self.world.profile.current.webhook_url)


class AboutHandler(SimHandler):
    """GET /sim/about?user_id=N: what an app can show about the bot and the people before the first message."""

    def get(self) -> None:
        """Return the bot's name, texts and command menu as a person sees them, the people, and the kinds of faults."""
        query = self.read(AboutQuery)
        profile, language = self.world.profile.current, "en"
        self.answer(
            {
                "bot": {
                    "name": localized(profile.name, language) or self.world.bot.first_name,
                    "username": self.world.bot.username,
                    "description": localized(profile.description, language),
                    "short_description": localized(profile.short_description, language),
                    "commands": profile.commands_shown(query.user_id, language),
                },
                "people": [{"id": one.id, "name": one.first_name, "admin": one.id == ADMIN_ID} for one in all_people()],
                "fault_kinds": KINDS,
                "faults": self.world.faults.to_json(),
            }
        )


class LessonHandler(SimHandler):
    """GET /sim/lesson."""

    def get(self) -> None:
        """Return the lesson and the progress in it, or null if there is no lesson."""
        self.answer(self.world.lesson_to_json())


class FileHandler(SimHandler):
    """GET /sim/file/<file_id>: a file in the chat, for the page."""

    def get(self, file_id: str) -> None:
        """Send the bytes, but never with a content type that a browser would execute."""
        stored = self.world.files.find(file_id)
        self.set_header("Content-Type", "image/*" if stored.path.startswith("photos/") else "application/octet-stream")
        self.finish(self.world.files.content(stored.path))


class EventsHandler(SimHandler):
    """GET /sim/events: every change, as a server-sent event with JSON data."""

    async def get(self) -> None:
        """Send changes until the client disconnects."""
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        try:
            await self._send(": open\n\n")
            async for change in self.world.changes.subscribe():
                await self._send(f"data: {encode(change)}\n\n")
        except StreamClosedError:
            return

    async def _send(self, text: str) -> None:
        self.write(text)
        await self.flush()
