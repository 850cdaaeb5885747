"""The actions under ``/sim``. Each is a class with the request's parameters as fields and a ``perform`` method.

To add an action, write its class and add it to ``ACTIONS``.
"""

from abc import abstractmethod
from typing import Annotated

from pydantic import AfterValidator

from playground.api.official_method_names import OFFICIAL_METHODS
from playground.api.parameter_types import UploadedFile, between, one_of
from playground.api.parameters import Parameters
from playground.sim import actions
from playground.state.faults import ANY_METHOD, KINDS, Fault
from playground.state.people import DEFAULT_PERSON_ID
from playground.state.world import World
from playground.wire import JsonObject, Upload, bad_request, not_built

ID_LIMIT = 2**52
"""Telegram's ids for people and chats have at most 52 significant bits."""
_METHODS = {name.lower(): name for name in OFFICIAL_METHODS}


class Action(Parameters):
    """An action that is performed by a POST under ``/sim``."""

    @abstractmethod
    def perform(self, world: World) -> JsonObject:
        """Perform the action and return the response, or raise ApiError."""


def person_id(user_id: int | None = None, chat_id: int | None = None, chat_type: str = "private") -> int:
    """Return the id of the person in the private chat, or raise ApiError for any other kind of chat."""
    if chat_type != "private" or (chat_id is not None and chat_id <= 0):
        raise not_built("chats other than private ones")
    person = user_id if user_id is not None else chat_id or DEFAULT_PERSON_ID
    if chat_id not in (None, person):
        raise bad_request(f"chat {chat_id} is the private chat of user {chat_id}; user {person} is not in it")
    if not 0 < person < ID_LIMIT:
        raise bad_request("a person's id must be positive and have at most 52 bits")
    return person


class PersonAction(Action):
    """A person's action in the private chat with the bot. The chat has the same id as the person."""

    chat_id: int | None = None
    user_id: int | None = None
    chat_type: str = "private"

    @property
    def person_id(self) -> int:
        """The id of the person who acts. Any chat except the person's own raises ApiError."""
        return person_id(self.user_id, self.chat_id, self.chat_type)


class WriteMessage(PersonAction):
    """Send a text that fits in one message."""

    text: str
    reply_to: int | None = None

    def perform(self, world: World) -> JsonObject:
        return actions.write(world, self.person_id, self.text, self.reply_to).to_json()


class PasteText(PersonAction):
    """Send a text of any length, split the way Telegram's apps split it."""

    text: str
    reply_to: int | None = None

    def perform(self, world: World) -> JsonObject:
        sent = actions.paste(world, self.person_id, self.text, self.reply_to)
        return {"messages": [message.to_json() for message in sent]}


class EditMessage(PersonAction):
    """Edit the person's own message."""

    message_id: int
    text: str

    def perform(self, world: World) -> JsonObject:
        return actions.edit(world, self.person_id, self.message_id, self.text).to_json()


class TapButton(PersonAction):
    """Tap the button with this label or data."""

    message_id: int
    label: str | None = None
    data: str | None = None

    def perform(self, world: World) -> JsonObject:
        return actions.tap(world, self.person_id, self.message_id, label=self.label, data=self.data)


class SendDocument(PersonAction):
    """Send a file."""

    document: UploadedFile
    caption: str = ""

    def perform(self, world: World) -> JsonObject:
        return actions.send_document(world, self.person_id, self.document, self.caption).to_json()


class SendPhoto(PersonAction):
    """Send an image."""

    photo: UploadedFile
    caption: str = ""

    def perform(self, world: World) -> JsonObject:
        return actions.send_photo(world, self.person_id, self.photo, self.caption).to_json()


class SendVoice(PersonAction):
    """Send a voice message, by default an empty one."""

    voice: UploadedFile = Upload("voice.ogg", "audio/ogg", b"")
    duration: Annotated[int, between(1, 3600)] = 1

    def perform(self, world: World) -> JsonObject:
        return actions.send_voice(world, self.person_id, self.voice, self.duration).to_json()


class SendSticker(PersonAction):
    """Send a sticker, by default an empty one."""

    sticker: UploadedFile = Upload("sticker.webp", "image/webp", b"")
    emoji: str = "👍"

    def perform(self, world: World) -> JsonObject:
        return actions.send_sticker(world, self.person_id, self.sticker, self.emoji).to_json()


def _check_method_name(name: str) -> str:
    if name == ANY_METHOD:
        return ANY_METHOD
    if name.lower() not in _METHODS:
        raise ValueError("the name of a Bot API method, or *, expected")
    return _METHODS[name.lower()]


_FaultKind = Annotated[str, one_of(*KINDS)]
_Positive = Annotated[int, between(1, 1_000_000)]


class AddFault(Action):
    """Make the next calls to a method fail, or the next updates arrive twice or out of order."""

    kind: _FaultKind
    method: Annotated[str, AfterValidator(_check_method_name)] | None = None
    times: _Positive | None = None
    seconds: float | None = None
    retry_after: _Positive | None = None
    migrate_to_chat_id: Annotated[int, between(1 - ID_LIMIT, ID_LIMIT - 1)] | None = None
    description: str | None = None

    def perform(self, world: World) -> JsonObject:
        world.faults.add(Fault(**self.to_json()))
        return _publish_faults(world)


class CancelFault(Action):
    """Cancel the pending faults of one kind."""

    kind: _FaultKind

    def perform(self, world: World) -> JsonObject:
        world.faults.cancel(self.kind)
        return _publish_faults(world)


class ClearFaults(Action):
    """Cancel all pending faults."""

    def perform(self, world: World) -> JsonObject:
        world.faults.clear()
        return _publish_faults(world)


class Reset(Action):
    """Clear chats, calls, faults and pending updates, and return the number of the latest call."""

    def perform(self, world: World) -> JsonObject:
        world.reset()
        return {"seq": world.outbox.last}


def _publish_faults(world: World) -> JsonObject:
    world.changes.publish("faults", faults=world.faults.to_json())
    return {"faults": world.faults.to_json()}


ACTIONS: dict[str, type[Action]] = {
    "message": WriteMessage,
    "paste": PasteText,
    "edit": EditMessage,
    "tap": TapButton,
    "document": SendDocument,
    "photo": SendPhoto,
    "voice": SendVoice,
    "sticker": SendSticker,
    "fault": AddFault,
    "cancel_fault": CancelFault,
    "clear_faults": ClearFaults,
    "reset": Reset,
}
