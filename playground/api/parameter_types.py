"""The objects inside parameters: keyboards, reply parameters, entities, scopes. Names as in Bot API 10.0."""

import re

from playground.api.parameters import (
    BOOLEAN,
    CHAT_ID,
    INTEGER,
    STRING,
    Kind,
    Unfit,
    array,
    checked,
    may,
    need,
    one_of,
    record,
)
from playground.wire import JsonObject, bad_request, not_built

CALLBACK_DATA_BYTES = 64
BUTTONS_IN_A_ROW = 8
BUTTONS_IN_ALL = 100
_ACTIONS = (
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

LANGUAGE = Kind("language code", lambda value: _matching(value, r"[a-z]{2}|", "a two-letter language code expected"))
SECRET = Kind("secret", lambda value: _matching(value, r"[A-Za-z0-9_-]{0,256}", "1 to 256 of A-Z a-z 0-9 _ - expected"))

ENTITY = record(
    "MessageEntity",
    type=need(STRING),
    offset=need(INTEGER),
    length=need(INTEGER),
    url=may(STRING),
    language=may(STRING),
    custom_emoji_id=may(STRING),
)
ENTITIES = array(ENTITY)
LINK_PREVIEW = record(
    "LinkPreviewOptions",
    is_disabled=may(BOOLEAN),
    url=may(STRING),
    prefer_small_media=may(BOOLEAN),
    prefer_large_media=may(BOOLEAN),
    show_above_text=may(BOOLEAN),
)
REPLY = record(
    "ReplyParameters",
    message_id=need(INTEGER),
    chat_id=may(CHAT_ID),
    allow_sending_without_reply=may(BOOLEAN),
    quote=may(STRING),
    quote_parse_mode=may(STRING),
    quote_entities=may(ENTITIES),
    quote_position=may(INTEGER),
    checklist_task_id=may(INTEGER),
    poll_option_id=may(STRING),
)
COMMANDS = array(
    record(
        "BotCommand",
        command=need(Kind("command", lambda value: _matching(value, r"[a-z0-9_]{1,32}", "BOT_COMMAND_INVALID"))),
        description=need(
            Kind("description", lambda value: _matching(value, r"(?s).{1,256}", "BOT_COMMAND_DESCRIPTION_INVALID"))
        ),
    )
)


def _matching(value: object, pattern: str, otherwise: str) -> str:
    if not (isinstance(value, str) and re.fullmatch(pattern, value)):
        raise Unfit(otherwise)
    return value


def _check_button(button: JsonObject) -> None:
    if not button["text"].strip():
        raise Unfit("text of an inline keyboard button is empty")
    actions = [name for name in _ACTIONS if name in button]
    if not actions:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise Unfit(f"an inline keyboard button does one thing, not {' and '.join(actions)}")
    if actions[0] not in ("url", "callback_data"):
        raise not_built(f"inline keyboard buttons with {actions[0]}")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= CALLBACK_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and not re.match(r"(https?|tg)://[^\s/]+", button["url"]):
        raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


def _check_inline_keyboard(markup: JsonObject) -> None:
    rows = markup["inline_keyboard"]
    if any(len(row) > BUTTONS_IN_A_ROW for row in rows) or sum(map(len, rows)) > BUTTONS_IN_ALL:
        raise bad_request("reply markup is too long")


_BUTTON = record(
    "InlineKeyboardButton",
    text=need(STRING),
    icon_custom_emoji_id=may(STRING),
    style=may(one_of("danger", "success", "primary")),
    **{name: may(STRING if name in ("url", "callback_data") else Kind(name, lambda value: value)) for name in _ACTIONS},
)
INLINE_KEYBOARD = checked(
    record("InlineKeyboardMarkup", inline_keyboard=need(array(array(checked(_BUTTON, _check_button))))),
    _check_inline_keyboard,
)


def _any_keyboard(value: object) -> object:
    if isinstance(value, dict):
        for name, what in _OTHER_KEYBOARDS.items():
            if name in value:
                raise not_built(what)
    return INLINE_KEYBOARD.read(value)


KEYBOARD = Kind("reply markup", _any_keyboard, structured=True)

_PLAIN_SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
_CHAT_SCOPES = ("chat", "chat_administrators", "chat_member")


def _check_scope(scope: JsonObject) -> None:
    expected = {
        "chat_id": scope["type"] in _CHAT_SCOPES,
        "user_id": scope["type"] == "chat_member",
    }
    for name, wanted in expected.items():
        if wanted != (name in scope):
            raise Unfit(f'the scope {scope["type"]} {"needs" if wanted else "has no"} "{name}"')


SCOPE = checked(
    record(
        "BotCommandScope", type=need(one_of(*_PLAIN_SCOPES, *_CHAT_SCOPES)), chat_id=may(CHAT_ID), user_id=may(INTEGER)
    ),
    _check_scope,
)
