"""Parameters shared by methods that send or edit messages: texts, captions, keyboards and options."""

from dataclasses import replace

from pydantic import Field

from playground.api.keyboards import ForceReply, InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove
from playground.api.parameter_types import LinkPreviewOptions, MessageEntity
from playground.api.parameters import Parameters
from playground.state.people import find_person
from playground.text.entities import Entity, FormattedText
from playground.text.parse_mode import caption_text, message_text
from playground.wire import JsonObject

AnyKeyboard = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | ForceReply

_MESSAGE_MEMBERS = {
    "link_preview_options": "link_preview_options",
    "protect_content": "has_protected_content",
    "has_spoiler": "has_media_spoiler",
    "show_caption_above_media": "show_caption_above_media",
    "message_effect_id": "effect_id",
}
"""Parameters that are copied to the message unchanged, and their names in the message."""


class TextFields(Parameters):
    """Parameters for a text and its markup."""

    text: str = ""
    parse_mode: str = ""
    entities: list[MessageEntity] = Field(default_factory=list)
    link_preview_options: LinkPreviewOptions | None = None
    disable_web_page_preview: bool = False
    """The older form of ``link_preview_options``, which Telegram still accepts."""

    def body(self) -> FormattedText:
        """Return the text with its entities, or raise ApiError 400."""
        entities = [entity.to_json() for entity in self.entities]
        return _with_known_people(message_text(self.text, self.parse_mode, entities))


class CaptionFields(Parameters):
    """Parameters for a caption and its markup."""

    caption: str = ""
    parse_mode: str = ""
    caption_entities: list[MessageEntity] = Field(default_factory=list)

    def body(self) -> FormattedText:
        """Return the caption with its entities, or raise ApiError 400."""
        entities = [entity.to_json() for entity in self.caption_entities]
        return _with_known_people(caption_text(self.caption, self.parse_mode, entities))


def keyboard_to_json(markup: AnyKeyboard | None) -> JsonObject | None:
    """Return the buttons under a message in Telegram's format, or None if there are none."""
    rows = (
        [row for row in markup.to_json()["inline_keyboard"] if row] if isinstance(markup, InlineKeyboardMarkup) else []
    )
    return {"inline_keyboard": rows} if rows else None


def reply_keyboard_to_json(markup: AnyKeyboard | None) -> JsonObject | None:
    """Return the change to the person's own keyboard: ReplyKeyboardMarkup, ReplyKeyboardRemove, ForceReply or None."""
    return None if markup is None or isinstance(markup, InlineKeyboardMarkup) else markup.to_json()


def message_members(parameters: Parameters) -> JsonObject:
    """Return the members of the message that are copied unchanged from ``parameters``."""
    given = parameters.to_json()
    if given.get("disable_web_page_preview"):
        given.setdefault("link_preview_options", {"is_disabled": True})
    return {member: given[name] for name, member in _MESSAGE_MEMBERS.items() if given.get(name)}


def _with_known_people(body: FormattedText) -> FormattedText:
    """Return the text with a full User object in each mention, because markup contains only the user's id."""
    return FormattedText(body.text, tuple(_with_known_person(entity) for entity in body.entities))


def _with_known_person(entity: Entity) -> Entity:
    user = entity.details.get("user")
    if not isinstance(user, dict):
        return entity
    return replace(entity, details={**entity.details, "user": find_person(user["id"]).to_api()})
