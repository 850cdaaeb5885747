"""``/sim/...``: the people's side over HTTP, JSON in and out, for the page, tests and drivers.

A refused request answers ``{"error": "..."}`` with 400, 404 or 501. Ids are given as numbers; a private chat has its
person's id, so ``chat_id`` and ``user_id`` may each stand for the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from playground.api.method_names import OFFICIAL_METHODS
from playground.api.parameters import (
    INTEGER,
    NUMBER,
    STRING,
    UPLOAD,
    Kind,
    Parameter,
    Unfit,
    between,
    may,
    need,
    one_of,
    read_parameters,
)
from playground.api.requests import given_parameters
from playground.sim import actions
from playground.state.faults import ANY_METHOD, KINDS, Fault
from playground.state.people import ADMIN_ID, DEFAULT_PERSON_ID, directory
from playground.state.profile import localized
from playground.state.world import World
from playground.wire import ApiError, JsonObject, Upload, bad_request, encode, not_built

_LONGEST_WAIT_SECONDS = 120
_METHODS = {name.lower(): name for name in OFFICIAL_METHODS}


def _method_name(value: object) -> str:
    if value == ANY_METHOD:
        return ANY_METHOD
    name = _METHODS.get(str(value).lower())
    if name is None:
        raise Unfit("the name of a Bot API method, or *, expected")
    return name


_WHO = {"chat_id": may(INTEGER), "user_id": may(INTEGER), "chat_type": may(STRING)}
_WAIT = may(between(0, _LONGEST_WAIT_SECONDS))


@dataclass(frozen=True, slots=True)
class Action:
    """One POST below ``/sim``: what it takes and does."""

    parameters: Mapping[str, Parameter]
    carry_out: Callable[[World, JsonObject], JsonObject]


def _who(given: JsonObject) -> int:
    """The person who acts, in their private chat; raises ApiError for any other chat."""
    chat_type, chat_id = given.get("chat_type", "private"), given.get("chat_id")
    if chat_type != "private" or (chat_id is not None and chat_id <= 0):
        raise not_built("chats other than private ones")
    user_id = int(given["user_id"]) if "user_id" in given else int(chat_id or DEFAULT_PERSON_ID)
    if chat_id not in (None, user_id):
        raise bad_request(f"chat {chat_id} is the private chat of user {chat_id}; user {user_id} is not in it")
    if user_id <= 0:
        raise bad_request("ids of people are positive")
    return user_id


def _message(world: World, given: JsonObject) -> JsonObject:
    return actions.write(world, _who(given), given["text"], given.get("reply_to")).to_json()


def _paste(world: World, given: JsonObject) -> JsonObject:
    written = actions.paste(world, _who(given), given["text"], given.get("reply_to"))
    return {"messages": [one.to_json() for one in written]}


def _edit(world: World, given: JsonObject) -> JsonObject:
    return actions.edit(world, _who(given), given["message_id"], given["text"]).to_json()


def _tap(world: World, given: JsonObject) -> JsonObject:
    return actions.tap(world, _who(given), given["message_id"], label=given.get("label"), data=given.get("data"))


def _document(world: World, given: JsonObject) -> JsonObject:
    return actions.send_document(world, _who(given), given["document"], given.get("caption", "")).to_json()


def _photo(world: World, given: JsonObject) -> JsonObject:
    return actions.send_photo(world, _who(given), given["photo"], given.get("caption", "")).to_json()


def _voice(world: World, given: JsonObject) -> JsonObject:
    sound = given.get("voice", Upload("voice.ogg", "audio/ogg", b""))
    return actions.send_voice(world, _who(given), sound, given.get("duration", 1)).to_json()


def _sticker(world: World, given: JsonObject) -> JsonObject:
    picture = given.get("sticker", Upload("sticker.webp", "image/webp", b""))
    return actions.send_sticker(world, _who(given), picture, given.get("emoji", "👍")).to_json()


def _fault(world: World, given: JsonObject) -> JsonObject:
    world.faults.order(Fault(**given))
    return _tell_faults(world)


def _clear_faults(world: World, given: JsonObject) -> JsonObject:
    world.faults.clear()
    return _tell_faults(world)


def _cancel_fault(world: World, given: JsonObject) -> JsonObject:
    world.faults.cancel(given["kind"])
    return _tell_faults(world)


def _tell_faults(world: World) -> JsonObject:
    world.changes.publish("faults", faults=world.faults.to_json())
    return {"faults": world.faults.to_json()}


def _reset(world: World, given: JsonObject) -> JsonObject:
    world.reset()
    return {"seq": world.outbox.last}


_TEXT = {"text": need(STRING), "reply_to": may(INTEGER), **_WHO}
_CAPTION = {"caption": may(STRING), **_WHO}
_AT_LEAST_ONE = between(1, 1_000_000)

ACTIONS: dict[str, Action] = {
    "message": Action(_TEXT, _message),
    "paste": Action(_TEXT, _paste),
    "edit": Action({"message_id": need(INTEGER), "text": need(STRING), **_WHO}, _edit),
    "tap": Action({"message_id": need(INTEGER), "label": may(STRING), "data": may(STRING), **_WHO}, _tap),
    "document": Action({"document": need(UPLOAD), **_CAPTION}, _document),
    "photo": Action({"photo": need(UPLOAD), **_CAPTION}, _photo),
    "voice": Action({"voice": may(UPLOAD), "duration": may(between(1, 3600)), **_WHO}, _voice),
    "sticker": Action({"sticker": may(UPLOAD), "emoji": may(STRING), **_WHO}, _sticker),
    "fault": Action(
        {
            "kind": need(one_of(*KINDS)),
            "method": may(Kind("method", _method_name)),
            "times": may(_AT_LEAST_ONE),
            "seconds": may(NUMBER),
            "retry_after": may(_AT_LEAST_ONE),
            "migrate_to_chat_id": may(INTEGER),
            "description": may(STRING),
        },
        _fault,
    ),
    "cancel_fault": Action({"kind": need(one_of(*KINDS))}, _cancel_fault),
    "clear_faults": Action({}, _clear_faults),
    "reset": Action({}, _reset),
}
_NOT_BUILT = {"react": "reactions", "inline": "inline queries", "member": "groups"}


class SimHandler(RequestHandler):
    """What all of ``/sim`` shares: reading what is given, and refusing in JSON."""

    def initialize(self, world: World) -> None:
        """Get the world from the table of routes."""
        self.world = world

    def prepare(self) -> None:
        """Refuse what another site's page sends through a person's browser."""
        origin = self.request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != self.request.host:
            raise ApiError(403, f"Forbidden: only the playground's own page may ask, not {origin}")

    def given(self, **parameters: Parameter) -> JsonObject:
        """The request's checked parameters; raises ApiError."""
        return read_parameters(parameters, given_parameters(self.request))

    def answer(self, value: object) -> None:
        """Send JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(encode(value))

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Answer an error as ``{"error": ...}``."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None  # type: ignore[index]  # tornado's tuple
        if isinstance(error, ApiError):
            self.set_status(error.code)
        self.answer({"error": str(error) if isinstance(error, ApiError) else self._reason})

    def log_exception(self, *exc_info: object) -> None:
        """Log what went wrong in the server, but not what was asked wrongly."""
        if not isinstance(exc_info[1], ApiError):
            super().log_exception(*exc_info)  # type: ignore[arg-type]  # handed through as it came


class ActionHandler(SimHandler):
    """POST /sim/<action>."""

    def post(self, name: str) -> None:
        """Carry out one action of a person."""
        if name in _NOT_BUILT:
            raise not_built(_NOT_BUILT[name])
        action = ACTIONS.get(name)
        if action is None:
            raise ApiError(404, f"Not Found: there is no /sim/{name}; there are {', '.join(ACTIONS)}")
        self.answer(action.carry_out(self.world, self.given(**action.parameters)))


class OutboxHandler(SimHandler):
    """GET /sim/outbox?since=N&wait=SECONDS."""

    async def get(self) -> None:
        """The bot's calls numbered above ``since``; waits for the first of them."""
        given = self.given(since=may(INTEGER), wait=_WAIT)
        calls = await self.world.outbox.since(given.get("since", 0), given.get("wait", 0))
        self.answer([call.to_json() for call in calls])


class ChatHandler(SimHandler):
    """GET /sim/chat/<id>?since=VERSION&wait=SECONDS."""

    async def get(self, chat_id: str) -> None:
        """The chat as its person sees it; waits until its ``version`` is above ``since``, by default the present."""
        given = self.given(since=may(INTEGER), wait=_WAIT)
        chat = self.world.chats.open(_who({"chat_id": int(chat_id)}))
        seen = given.get("since", chat.version)
        await self.world.changes.until(lambda: chat.version > seen, given.get("wait", 0))
        self.answer(actions.chat_as_seen(self.world, chat.id))


class StatusHandler(SimHandler):
    """GET /sim/status?wait=SECONDS."""

    async def get(self) -> None:
        """Whether the bot listens; waits until it does."""
        given = self.given(wait=_WAIT)
        await self.world.changes.until(self._bot_listens, given.get("wait", 0))
        self.answer(self.world.status())

    def _bot_listens(self) -> bool:
        return self.world.updates.polling or bool(self.world.profile.now.webhook_url)


class AboutHandler(SimHandler):
    """GET /sim/about?user_id=N: what an app knows of the bot and the people before the first message."""

    def get(self) -> None:
        """The bot's name, texts and command menu for one person, the people, and the kinds of faults."""
        given = self.given(user_id=may(INTEGER))
        profile, language = self.world.profile.now, "en"
        self.answer(
            {
                "bot": {
                    "name": localized(profile.name, language) or self.world.bot.first_name,
                    "username": self.world.bot.username,
                    "description": localized(profile.description, language),
                    "short_description": localized(profile.short_description, language),
                    "commands": profile.commands_shown(given.get("user_id", DEFAULT_PERSON_ID), language),
                },
                "people": [{"id": one.id, "name": one.first_name, "admin": one.id == ADMIN_ID} for one in directory()],
                "fault_kinds": KINDS,
                "faults": self.world.faults.to_json(),
            }
        )


class PictureHandler(SimHandler):
    """GET /sim/file/<file_id>: a file of the chat, for its page."""

    def get(self, file_id: str) -> None:
        """Send the bytes; never as something that a browser runs."""
        stored = self.world.files.find(file_id)
        self.set_header("Content-Type", "image/*" if stored.path.startswith("photos/") else "application/octet-stream")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(self.world.files.content(stored.path))


class EventsHandler(SimHandler):
    """GET /sim/events: every change as a server-sent event whose data are JSON."""

    async def get(self) -> None:
        """Send changes until the reader hangs up."""
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        try:
            await self._send(": open\n\n")
            async for change in self.world.changes.follow():
                await self._send(f"data: {encode(change)}\n\n")
        except StreamClosedError:
            return

    async def _send(self, text: str) -> None:
        self.write(text)
        await self.flush()
