"""The keyboards and buttons in parameters, named as in Bot API 10.3."""

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Discriminator, Tag, model_validator

from playground.api.parameter_types import matching, one_of
from playground.api.parameters import BotApiObject
from playground.wire import JsonObject, bad_request, not_built

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

ButtonStyle = Annotated[str, one_of("danger", "success", "primary")]
Placeholder = Annotated[str, matching(rf"(?s).{{1,{PLACEHOLDER_CHARACTERS}}}", "1 to 64 characters expected")]


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
