"""The types inside parameters: ids, files, keyboards, entities, scopes. Names as in Bot API 10.3."""

import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    PlainSerializer,
    ValidationInfo,
    model_validator,
)

from playground.api.parameters import BotApiObject
from playground.wire import Upload, bad_request, not_built

CALLBACK_DATA_BYTES = 64
BUTTONS_IN_A_ROW = 8
BUTTONS_IN_ALL = 100
_BUTTON_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
_OTHER_KEYBOARDS = {
    "keyboard": "reply keyboards",
    "remove_keyboard": "reply keyboards",
    "force_reply": "forced replies",
}
_PLAIN_SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
_CHAT_SCOPES = ("chat", "chat_administrators", "chat_member")


def between(low: int, high: int) -> AfterValidator:
    """Allow integers from ``low`` to ``high``, both included."""

    def check(number: int) -> int:
        if not low <= number <= high:
            raise ValueError(f"{low} to {high} expected")
        return number

    return AfterValidator(check)


def one_of(*choices: str) -> AfterValidator:
    """Allow these words."""

    def check(word: str) -> str:
        if word not in choices:
            raise ValueError(f"one of {', '.join(choices)} expected")
        return word

    return AfterValidator(check)


def matching(pattern: str, error: str) -> AfterValidator:
    """Allow texts that match the whole ``pattern``; ``error`` is the message for other texts."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(error)
        return text

    return AfterValidator(check)


def _refuse(value: object, info: ValidationInfo) -> None:
    raise not_built(str(info.field_name))


NotBuilt = Annotated[object, AfterValidator(_refuse)]
"""A parameter that Telegram has and the playground does not; a call with it answers 501."""

ChatId = int | Annotated[str, Field(pattern=r"^@\w+$")]
UploadedFile = Annotated[InstanceOf[Upload], PlainSerializer(Upload.to_log)]
FileSource = str | UploadedFile
"""The id of a file that the server has, or an upload."""

LanguageCode = Annotated[str, matching(r"[a-z]{2}|", "a two-letter language code expected")]
SecretToken = Annotated[str, matching(r"[A-Za-z0-9_-]{0,256}", "1 to 256 of A-Z a-z 0-9 _ - expected")]


class MentionedUser(BotApiObject):
    """The person whom an entity mentions."""

    id: int


class MessageEntity(BotApiObject):
    """A formatted part of a text; offset and length count UTF-16 code units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    user: MentionedUser | None = None
    language: str | None = None
    custom_emoji_id: str | None = None
    unix_time: int | None = None
    date_time_format: str | None = None


class LinkPreviewOptions(BotApiObject):
    """How the preview of a link is shown."""

    is_disabled: bool = False
    url: str | None = None
    prefer_small_media: bool = False
    prefer_large_media: bool = False
    show_above_text: bool = False


class ReplyParameters(BotApiObject):
    """The message that is replied to, and the part of it that is quoted."""

    message_id: int
    chat_id: ChatId | None = None
    allow_sending_without_reply: bool = False
    quote: str | None = None
    quote_parse_mode: str | None = None
    quote_entities: list[MessageEntity] = Field(default_factory=list)
    quote_position: int | None = None
    ephemeral_message_id: NotBuilt = None
    checklist_task_id: int | None = None
    poll_option_id: str | None = None


class BotCommand(BotApiObject):
    """An entry of the command menu."""

    command: str
    description: str

    @model_validator(mode="after")
    def _check_texts(self) -> Self:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", self.command):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(self.description) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        return self


class BotCommandScope(BotApiObject):
    """The chats and people who see a command menu."""

    type: Annotated[str, one_of(*_PLAIN_SCOPES, *_CHAT_SCOPES)]
    chat_id: ChatId | None = None
    user_id: int | None = None

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        needed = {"chat_id": self.type in _CHAT_SCOPES, "user_id": self.type == "chat_member"}
        for name, is_needed in needed.items():
            if is_needed != (name in self.model_fields_set):
                raise ValueError(f'the scope {self.type} {"needs" if is_needed else "has no"} "{name}"')
        return self


class InlineKeyboardButton(BotApiObject):
    """A button under a message, which opens an address or sends its data to the bot."""

    text: str
    icon_custom_emoji_id: str | None = None
    style: Annotated[str, one_of("danger", "success", "primary")] | None = None
    url: str | None = None
    callback_data: str | None = None
    web_app: object = None
    login_url: object = None
    switch_inline_query: object = None
    switch_inline_query_current_chat: object = None
    switch_inline_query_chosen_chat: object = None
    copy_text: object = None
    callback_game: object = None
    pay: object = None

    @model_validator(mode="after")
    def _check_action(self) -> Self:
        if not self.text.strip():
            raise ValueError("text of an inline keyboard button is empty")
        actions = [name for name in _BUTTON_ACTIONS if name in self.model_fields_set]
        if not actions:
            raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if len(actions) > 1:
            raise ValueError(f"an inline keyboard button does one thing, not {' and '.join(actions)}")
        if actions[0] not in ("url", "callback_data"):
            raise not_built(f"inline keyboard buttons with {actions[0]}")
        if self.callback_data is not None and not 1 <= len(self.callback_data.encode()) <= CALLBACK_DATA_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
        if self.url is not None and not re.match(r"(https?|tg)://[^\s/]+", self.url):
            raise bad_request(f"inline keyboard button URL '{self.url}' is invalid: Wrong HTTP URL")
        return self


class InlineKeyboardMarkup(BotApiObject):
    """The buttons under a message, row by row."""

    inline_keyboard: list[list[InlineKeyboardButton]]

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        rows = self.inline_keyboard
        if any(len(row) > BUTTONS_IN_A_ROW for row in rows) or sum(map(len, rows)) > BUTTONS_IN_ALL:
            raise bad_request("reply markup is too long")
        return self


def _refuse_other_keyboards(value: Any) -> Any:  # noqa: ANN401  # JSON of any shape
    if isinstance(value, dict):
        for name, what in _OTHER_KEYBOARDS.items():
            if name in value:
                raise not_built(what)
    return value


ReplyMarkup = Annotated[InlineKeyboardMarkup, BeforeValidator(_refuse_other_keyboards)]
