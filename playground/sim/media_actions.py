"""The actions under ``/sim`` that send files."""

from typing import Annotated

from playground.api.parameter_types import UploadedFile, between
from playground.sim import actions, posts
from playground.sim.action import PersonAction
from playground.state.world import World
from playground.wire import JsonObject, Upload


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


class SendAlbum(PersonAction):
    """Send an album that repeats one image, once for each caption."""

    photo: UploadedFile
    captions: list[str]

    def perform(self, world: World) -> JsonObject:
        sent = posts.send_album(world, self.person_id, self.photo, self.captions)
        return {"messages": [message.to_json() for message in sent]}


class SendVideo(PersonAction):
    """Send a video, by default an empty one."""

    video: UploadedFile = Upload("video.mp4", "video/mp4", b"")
    duration: Annotated[int, between(1, 3600)] = 1
    caption: str = ""

    def perform(self, world: World) -> JsonObject:
        return actions.send_video(world, self.person_id, self.video, self.duration, self.caption).to_json()


class SendVoice(PersonAction):
    """Send a voice message (empty by default)."""

    voice: UploadedFile = Upload("voice.ogg", "audio/ogg", b"")
    duration: Annotated[int, between(1, 3600)] = 1
    caption: str = ""

    def perform(self, world: World) -> JsonObject:
        return actions.send_voice(world, self.person_id, self.voice, self.duration, self.caption).to_json()


class SendSticker(PersonAction):
    """Send a sticker, by default an empty one."""

    sticker: UploadedFile = Upload("sticker.webp", "image/webp", b"")
    emoji: str = "👍"

    def perform(self, world: World) -> JsonObject:
        return actions.send_sticker(world, self.person_id, self.sticker, self.emoji).to_json()
