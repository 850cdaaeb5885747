"""The types used in parameters, such as ids, files, entities and scopes, named as in Bot API 10.3."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, InstanceOf, PlainSerializer, ValidationInfo, model_validator

from playground.api.parameters import BotApiObject
from playground.wire import Upload, bad_request, not_built

_PLAIN_SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
_CHAT_SCOPES = ("chat", "chat_administrators", "chat_member")


def between(low: int, high: int) -> AfterValidator:
    """Allow integers from ``low`` to ``high``, inclusive."""

    def check(number: int) -> int:
        if not low <= number <= high:
            raise ValueError(f"{low} to {high} expected")
        return number

    return AfterValidator(check)


def one_of(*choices: str) -> AfterValidator:
    """Allow only these words."""

    def check(word: str) -> str:
        if word not in choices:
            raise ValueError(f"one of {', '.join(choices)} expected")
        return word

    return AfterValidator(check)


def matching(pattern: str, error: str) -> AfterValidator:
    """Allow texts that fully match ``pattern``. ``error`` is the message for other texts."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(error)
        return text

    return AfterValidator(check)


def _refuse(value: object, info: ValidationInfo) -> None:
    raise not_built(str(info.field_name))


NotBuilt = Annotated[object, AfterValidator(_refuse)]
"""A parameter that Telegram supports but the playground doesn't. Calls that use it return 501."""

ChatId = int | Annotated[str, Field(pattern=r"^@\w+$")]
UploadedFile = Annotated[InstanceOf[Upload], PlainSerializer(Upload.to_log)]
FileSource = str | UploadedFile
"""The id of a file stored on the server, or an upload."""

LanguageCode = Annotated[str, matching(r"[a-z]{2}|", "a two-letter language code expected")]
SecretToken = Annotated[str, matching(r"[A-Za-z0-9_-]{0,256}", "1 to 256 of A-Z a-z 0-9 _ - expected")]


class MentionedUser(BotApiObject):
    """The person mentioned by an entity."""

    id: int


class MessageEntity(BotApiObject):
    """A formatted part of a text. The offset and length are in UTF-16 code units."""

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
    """Options for link previews."""

    is_disabled: bool = False
    url: str | None = None
    prefer_small_media: bool = False
    prefer_large_media: bool = False
    show_above_text: bool = False


class ReplyParameters(BotApiObject):
    """The message to reply to, and the part of it to quote."""

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
    """An entry in the command menu."""

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
    """The chats and people that see a command menu."""

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
