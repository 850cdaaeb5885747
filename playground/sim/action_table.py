"""The actions under ``/sim``. Each action is a class with the request's parameters as fields and a ``perform`` method.

To add an action, write its class and add it to ``ACTIONS``.
"""

from typing import Annotated

from pydantic import AfterValidator

from playground.api.official_method_names import OFFICIAL_METHODS
from playground.api.parameter_types import UploadedFile, between, one_of
from playground.sim import actions, posts
from playground.sim.action import ID_LIMIT, Action, PersonAction
from playground.sim.media_actions import SendAlbum, SendDocument, SendPhoto, SendSticker, SendVideo, SendVoice
from playground.state.faults import ANY_METHOD, KINDS, Fault
from playground.state.lesson_progress import LessonProgress
from playground.state.world import World
from playground.wire import JsonObject, bad_request

_METHODS = {name.lower(): name for name in OFFICIAL_METHODS}


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


class ForwardPost(PersonAction):
    """Forward a channel's post."""

    text: str
    channel: str = "Reviews"
    post: Annotated[int, between(1, ID_LIMIT)] = 1

    def perform(self, world: World) -> JsonObject:
        return posts.forward(world, self.person_id, self.text, self.channel, self.post).to_json()


class EditMessage(PersonAction):
    """Edit the text or caption of the person's own message, or replace its text or media with a captioned image."""

    message_id: int
    text: str
    photo: UploadedFile | None = None

    def perform(self, world: World) -> JsonObject:
        return posts.edit(world, self.person_id, self.message_id, self.text, self.photo).to_json()


class DeleteMessage(PersonAction):
    """Delete a message for both sides."""

    message_id: int

    def perform(self, world: World) -> JsonObject:
        return posts.delete(world, self.person_id, self.message_id)


class TapButton(PersonAction):
    """Tap the button with this label or data."""

    message_id: int
    label: str | None = None
    data: str | None = None

    def perform(self, world: World) -> JsonObject:
        return actions.tap(world, self.person_id, self.message_id, label=self.label, data=self.data)


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


class SkipStep(Action):
    """End a step of the lesson that may be unfinished."""

    name: str

    def perform(self, world: World) -> JsonObject:
        lesson = _lesson_of(world)
        lesson.skip(self.name)
        return _publish_lesson(world)


class HideLesson(Action):
    """Hide the lesson on the page, or show it again."""

    hidden: bool = True

    def perform(self, world: World) -> JsonObject:
        lesson = _lesson_of(world)
        lesson.hide(self.hidden)
        return _publish_lesson(world)


class Reset(Action):
    """Clear chats, calls, faults and pending updates, and return the number of the latest call."""

    def perform(self, world: World) -> JsonObject:
        world.reset()
        return {"seq": world.outbox.last}


def _publish_faults(world: World) -> JsonObject:
    world.changes.publish("faults", faults=world.faults.to_json())
    return {"faults": world.faults.to_json()}


def _lesson_of(world: World) -> LessonProgress:
    if world.lesson is None:
        raise bad_request("the playground was started without a lesson")
    return world.lesson


def _publish_lesson(world: World) -> JsonObject:
    world.publish_lesson()
    return {"lesson": world.lesson_to_json()}


ACTIONS: dict[str, type[Action]] = {
    "message": WriteMessage,
    "paste": PasteText,
    "forward": ForwardPost,
    "edit": EditMessage,
    "delete": DeleteMessage,
    "tap": TapButton,
    "document": SendDocument,
    "photo": SendPhoto,
    "album": SendAlbum,
    "video": SendVideo,
    "voice": SendVoice,
    "sticker": SendSticker,
    "fault": AddFault,
    "cancel_fault": CancelFault,
    "clear_faults": ClearFaults,
    "skip_step": SkipStep,
    "hide_lesson": HideLesson,
    "reset": Reset,
}
