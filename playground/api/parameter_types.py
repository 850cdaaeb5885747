"""The types used in parameters, such as ids, files, keyboards, entities and scopes, named as in Bot API 10.3."""

import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    InstanceOf,
    PlainSerializer,
    Tag,
    ValidationInfo,
    model_validator,
)

from playground.api.parameters import BotApiObject
from playground.wire import JsonObject, Upload, bad_request, not_built

CALLBACK_DATA_BYTES = 64
BUTTONS_IN_A_ROW = 8
BUTTONS_IN_ALL = 100
COPIED_CHARACTERS = 256
PLACEHOLDER_CHARACTERS = 64
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
    "disabled",
)
_NOT_BUILT_ACTIONS = ("callback_game", "pay", "disabled")
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
ButtonStyle = Annotated[str, one_of("danger", "success", "primary")]
Placeholder = Annotated[str, matching(rf"(?s).{{1,{PLACEHOLDER_CHARACTERS}}}", "1 to 64 characters expected")]
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


class WebAppInfo(BotApiObject):
    """A web app that a button opens."""

    url: str


class LoginUrl(BotApiObject):
    """A site that a button opens, with automatic login."""

    url: str
    forward_text: str | None = None
    bot_username: str | None = None
    request_write_access: bool = False


class SwitchInlineQueryChosenChat(BotApiObject):
    """The kinds of chats that a button offers for an inline query."""

    query: str = ""
    allow_user_chats: bool = False
    allow_bot_chats: bool = False
    allow_group_chats: bool = False
    allow_channel_chats: bool = False


class CopyTextButton(BotApiObject):
    """The text that a button copies."""

    text: str

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if not 1 <= len(self.text) <= COPIED_CHARACTERS:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")
        return self


class InlineKeyboardButton(BotApiObject):
    """A button under a message that sends data to the bot, opens an address, copies a text or starts a query."""

    text: str
    icon_custom_emoji_id: str | None = None
    style: ButtonStyle | None = None
    url: str | None = None
    callback_data: str | None = None
    web_app: WebAppInfo | None = None
    login_url: LoginUrl | None = None
    switch_inline_query: str | None = None
    switch_inline_query_current_chat: str | None = None
    switch_inline_query_chosen_chat: SwitchInlineQueryChosenChat | None = None
    copy_text: CopyTextButton | None = None
    callback_game: object = None
    pay: object = None
    disabled: object = None

    @model_validator(mode="after")
    def _check_action(self) -> Self:
        if not self.text.strip():
            raise ValueError("text of an inline keyboard button is empty")
        actions = [name for name in _BUTTON_ACTIONS if name in self.model_fields_set]
        if not actions:
            raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if len(actions) > 1:
            raise ValueError(f"an inline keyboard button can do only one thing, not {' and '.join(actions)}")
        if actions[0] in _NOT_BUILT_ACTIONS:
            raise not_built(f"inline keyboard buttons with {actions[0]}")
        if self.callback_data is not None and not 1 <= len(self.callback_data.encode()) <= CALLBACK_DATA_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
        self._check_addresses()
        return self

    def _check_addresses(self) -> None:
        if self.url is not None and not re.match(r"(https?|tg)://[^\s/]+", self.url):
            raise bad_request(f"inline keyboard button URL '{self.url}' is invalid: Wrong HTTP URL")
        for kind, site in (("Web App URL", self.web_app), ("login URL", self.login_url)):
            if site is not None and not re.match(r"https://[^\s/]+", site.url):
                raise bad_request(
                    f"inline keyboard button {kind} '{site.url}' is invalid: Only HTTPS links are allowed"
                )


class InlineKeyboardMarkup(BotApiObject):
    """The rows of buttons under a message."""

    inline_keyboard: list[list[InlineKeyboardButton]]

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        rows = self.inline_keyboard
        if any(len(row) > BUTTONS_IN_A_ROW for row in rows) or sum(map(len, rows)) > BUTTONS_IN_ALL:
            raise bad_request("reply markup is too long")
        return self


class KeyboardButton(BotApiObject):
    """A button on a reply keyboard. Pressing the button sends its text, unless it requests something else."""

    text: str
    icon_custom_emoji_id: str | None = None
    style: ButtonStyle | None = None
    request_users: JsonObject | None = None
    request_chat: JsonObject | None = None
    request_managed_bot: JsonObject | None = None
    request_contact: bool = False
    request_location: bool = False
    request_poll: JsonObject | None = None
    web_app: WebAppInfo | None = None

    @model_validator(mode="after")
    def _check_text(self) -> Self:
        if not self.text.strip():
            raise ValueError("text of a keyboard button is empty")
        return self


def _button_from_text(value: Any) -> Any:  # noqa: ANN401  # JSON of any shape
    return {"text": value} if isinstance(value, str) else value


class ReplyKeyboardMarkup(BotApiObject):
    """The rows of buttons that replace a person's keyboard. Plain text also counts as a button."""

    keyboard: list[list[Annotated[KeyboardButton, BeforeValidator(_button_from_text)]]]
    is_persistent: bool = False
    resize_keyboard: bool = False
    one_time_keyboard: bool = False
    input_field_placeholder: Placeholder | None = None
    selective: bool = False


class ReplyKeyboardRemove(BotApiObject):
    """Removes the reply keyboard."""

    remove_keyboard: bool
    selective: bool = False


class ForceReply(BotApiObject):
    """Makes the person's next message a reply to this one."""

    force_reply: bool
    input_field_placeholder: Placeholder | None = None
    selective: bool = False


_KEYBOARDS = ("keyboard", "remove_keyboard", "force_reply")


def _kind_of_keyboard(value: Any) -> str:  # noqa: ANN401  # JSON of any shape
    given = value if isinstance(value, dict) else {}
    if "inline_keyboard" in given:
        return "inline_keyboard"
    return next((name for name in _KEYBOARDS if name in given), "inline_keyboard")


ReplyMarkup = Annotated[
    Annotated[InlineKeyboardMarkup, Tag("inline_keyboard")]
    | Annotated[ReplyKeyboardMarkup, Tag("keyboard")]
    | Annotated[ReplyKeyboardRemove, Tag("remove_keyboard")]
    | Annotated[ForceReply, Tag("force_reply")],
    Discriminator(_kind_of_keyboard),
]
