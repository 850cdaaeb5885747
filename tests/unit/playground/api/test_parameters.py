"""Method parameters: values from forms and from JSON, and Telegram's wording for errors."""

import json
from typing import Annotated, Any

import pytest
from pydantic import Field

from playground.api.calls import METHODS
from playground.api.keyboards import InlineKeyboardMarkup, ReplyMarkup
from playground.api.official_method_names import OFFICIAL_METHODS
from playground.api.parameter_types import BotCommandScope, ChatId, FileSource, NotBuilt, UploadedFile, between
from playground.api.parameters import BotApiObject, Parameters, resolve_attachments
from playground.wire import ApiError, Upload


class Reply(BotApiObject):
    message_id: int


class Example(Parameters):
    chat_id: ChatId
    text: str = ""
    limit: Annotated[int, between(1, 100)] = 100
    quiet: bool = False
    seconds: float = 1.0
    names: list[str] = Field(default_factory=list)
    reply: Reply | None = None
    topic: NotBuilt = None


class InlineKeyboard(Parameters):
    reply_markup: InlineKeyboardMarkup


class Keyboard(Parameters):
    reply_markup: ReplyMarkup


class Scope(Parameters):
    scope: BotCommandScope


class Document(Parameters):
    document: FileSource
    thumbnail: UploadedFile | None = None


def _refusal(model: type[Parameters], given: dict[str, Any]) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        model.read(given)
    return caught.value.code, caught.value.description


def test_forms_and_json_give_the_same_values() -> None:
    values = {
        "chat_id": 5,
        "text": "7",
        "limit": 7,
        "quiet": True,
        "seconds": 0.5,
        "names": ["a"],
        "reply": {"message_id": 3},
    }
    as_form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    assert Example.read(values).to_json() == values
    assert Example.read(as_form).to_json() == values


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("chat_id", "@channel", "@channel"),
        ("chat_id", "-5", -5),
        ("chat_id", "007", 7),
        ("text", "[1, 2]", "[1, 2]"),
        ("quiet", "True", True),
        ("quiet", "0", False),
        ("seconds", "3", 3.0),
    ],
)
def test_text_of_a_form_is_read_by_the_type_of_its_field(name: str, text: str, value: object) -> None:
    assert Example.read({"chat_id": "1", name: text}).to_json()[name] == value


def test_null_counts_as_not_given() -> None:
    assert Example.read({"chat_id": 1, "text": None, "reply": None}).to_json() == {"chat_id": 1}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, 'parameter "chat_id" is required'),
        ({"chat_id": None}, 'parameter "chat_id" is required'),
        ({"chat_id": "1", "txt": "x"}, 'unknown parameter "txt"'),
        ({"chat_id": "one", "txt": None}, 'unknown parameter "txt"'),
        ({"chat_id": "12345678901234567890"}, 'wrong parameter "chat_id": Integer expected'),
        ({"chat_id": "one"}, 'wrong parameter "chat_id": Integer expected'),
        ({"chat_id": 1, "text": 5}, 'wrong parameter "text": String expected'),
        ({"chat_id": 1, "limit": "101"}, 'wrong parameter "limit": 1 to 100 expected'),
        ({"chat_id": 1, "limit": True}, 'wrong parameter "limit": Integer expected'),
        ({"chat_id": 1, "limit": "5.0"}, 'wrong parameter "limit": Integer expected'),
        ({"chat_id": 1, "quiet": "maybe"}, 'wrong parameter "quiet": Boolean expected'),
        ({"chat_id": 1, "quiet": 1}, 'wrong parameter "quiet": Boolean expected'),
        ({"chat_id": 1, "seconds": "NaN"}, 'wrong parameter "seconds": Number expected'),
        ({"chat_id": 1, "names": "a"}, 'can\'t parse "names" as JSON: Array expected'),
        ({"chat_id": 1, "names": {"a": 1}}, 'wrong parameter "names": Array expected'),
        ({"chat_id": 1, "names": [1]}, 'wrong parameter "names": String expected'),
        ({"chat_id": 1, "reply": "{"}, 'can\'t parse "reply" as JSON: Reply expected'),
        ({"chat_id": 1, "reply": 5}, 'wrong parameter "reply": Reply expected'),
        (
            {"chat_id": 1, "reply": {}},
            'wrong parameter "reply": can\'t parse Reply: parameter "message_id" is required',
        ),
        (
            {"chat_id": 1, "reply": {"message_id": "x"}},
            'wrong parameter "reply": can\'t parse Reply: wrong parameter "message_id": Integer expected',
        ),
    ],
)
def test_the_first_error_is_named(given: dict[str, Any], reason: str) -> None:
    assert _refusal(Example, given) == (400, f"Bad Request: {reason}")


def test_a_parameter_that_is_not_built_is_named() -> None:
    reason = "Not Implemented: the playground does not support topic"
    assert _refusal(Example, {"chat_id": 1, "topic": 5}) == (501, reason)


def test_an_attached_upload_replaces_its_reference() -> None:
    upload = Upload("a.csv", "text/csv", b"x")
    assert resolve_attachments({"document": "attach://part", "part": upload, "caption": "attach://none"}) == {
        "document": upload,
        "caption": "attach://none",
    }


def test_a_file_is_an_id_or_an_upload() -> None:
    upload = Upload("a.csv", "text/csv", b"x")
    assert Document.read({"document": "some-id"}).document == "some-id"
    given = Document.read({"document": upload, "thumbnail": upload})
    assert (given.document, given.to_json()["document"]) == (upload, upload.to_log())
    assert _refusal(Document, {"document": 5}) == (400, 'Bad Request: wrong parameter "document": String expected')
    assert "an uploaded file expected" in _refusal(Document, {"document": "x", "thumbnail": "x"})[1]


def _button(**members: object) -> dict[str, Any]:
    return {"reply_markup": {"inline_keyboard": [[{"text": "Right", **members}]]}}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (_button(callback_data="x" * 65), "BUTTON_DATA_INVALID"),
        (_button(callback_data="é" * 33), "BUTTON_DATA_INVALID"),
        (_button(callback_data=""), "BUTTON_DATA_INVALID"),
        (_button(), "Text buttons are unallowed in the inline keyboard"),
        (_button(callback_data="x", url="https://example.com"), "not url and callback_data"),
        (_button(url="example"), "is invalid: Wrong HTTP URL"),
        (_button(callback_data="x", style="red", colour="red"), "one of danger, success, primary expected"),
        (_button(callback_data="x", style="red"), "one of danger, success, primary expected"),
        (_button(text=" ", callback_data="x"), "text of an inline keyboard button is empty"),
        ({"reply_markup": {"inline_keyboard": [{"text": "Right"}]}}, "Array expected"),
        (
            {"reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "x"}] * 9]}},
            "reply markup is too long",
        ),
        (
            {"reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "x"}]] * 101}},
            "reply markup is too long",
        ),
        ({"reply_markup": {}}, 'parameter "inline_keyboard" is required'),
    ],
)
def test_inline_keyboards_have_limits(given: dict[str, Any], reason: str) -> None:
    code, description = _refusal(InlineKeyboard, given)
    assert code == 400
    assert reason in description


def test_errors_name_every_object_on_the_way() -> None:
    assert _refusal(InlineKeyboard, _button(callback_data=5)) == (
        400,
        'Bad Request: wrong parameter "reply_markup": can\'t parse InlineKeyboardMarkup: wrong parameter '
        '"inline_keyboard": can\'t parse InlineKeyboardButton: wrong parameter "callback_data": String expected',
    )


def test_unknown_members_of_objects_are_ignored() -> None:
    assert InlineKeyboard.read(_button(callback_data="x", hide=False)).to_json() == _button(callback_data="x")
    given = Example.read({"chat_id": 1, "reply": {"message_id": 1, "id": 2}})
    assert given.to_json() == {"chat_id": 1, "reply": {"message_id": 1}}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('["' + chr(92) + 'ud83d"]', "strings must be encoded in UTF-8"),
        ('{"' + chr(92) + 'udc00": 1}', "strings must be encoded in UTF-8"),
        ("[" * 101 + "]" * 101, 'can\'t parse "names" as JSON: Array expected'),
        ("[" * 100_000, 'can\'t parse "names" as JSON: Array expected'),
        ("[1e999]", 'can\'t parse "names" as JSON: Array expected'),
        ("[NaN]", 'can\'t parse "names" as JSON: Array expected'),
    ],
)
def test_json_that_no_answer_could_contain_is_refused(source: str, reason: str) -> None:
    assert _refusal(Example, {"chat_id": 1, "names": source}) == (400, f"Bad Request: {reason}")


def test_the_longest_callback_data_passes() -> None:
    given = _button(callback_data="x" * 64)
    assert Keyboard.read(given).to_json() == given
    assert Keyboard.read({"reply_markup": json.dumps(given["reply_markup"])}).to_json() == given


@pytest.mark.parametrize(
    "markup",
    [
        {"keyboard": [[{"text": "Yes", "style": "success"}, {"text": "Call", "request_contact": True}]]},
        {"keyboard": [[{"text": "Yes"}]], "one_time_keyboard": True, "input_field_placeholder": "Yes?"},
        {"remove_keyboard": True, "selective": True},
        {"force_reply": True, "input_field_placeholder": "Why?"},
        {"inline_keyboard": [[{"text": "a", "copy_text": {"text": "x" * 256}}]]},
        {"inline_keyboard": [[{"text": "a", "web_app": {"url": "https://example.com/app"}}]]},
        {"inline_keyboard": [[{"text": "a", "login_url": {"url": "https://example.com", "forward_text": "b"}}]]},
        {"inline_keyboard": [[{"text": "a", "switch_inline_query": ""}]]},
        {"inline_keyboard": [[{"text": "a", "switch_inline_query_current_chat": "b"}]]},
        {"inline_keyboard": [[{"text": "a", "switch_inline_query_chosen_chat": {"allow_user_chats": True}}]]},
    ],
)
def test_every_documented_keyboard_is_read(markup: dict[str, Any]) -> None:
    assert Keyboard.read({"reply_markup": markup}).to_json() == {"reply_markup": markup}
    assert Keyboard.read({"reply_markup": json.dumps(markup)}).to_json() == {"reply_markup": markup}


def test_the_button_of_a_reply_keyboard_can_be_a_text() -> None:
    given = Keyboard.read({"reply_markup": {"keyboard": [["Yes", "No"]]}})
    assert given.to_json() == {"reply_markup": {"keyboard": [[{"text": "Yes"}, {"text": "No"}]]}}


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        (_button(copy_text={"text": ""}), "BUTTON_COPY_TEXT_INVALID"),
        (_button(copy_text={"text": "x" * 257}), "BUTTON_COPY_TEXT_INVALID"),
        (_button(web_app={"url": "http://example.com"}), "Web App URL 'http://example.com' is invalid: Only HTTPS"),
        (_button(login_url={"url": "http://example.com"}), "login URL 'http://example.com' is invalid: Only HTTPS"),
        ({"reply_markup": {"keyboard": [[" "]]}}, "text of a keyboard button is empty"),
        ({"reply_markup": {"keyboard": ["a"]}}, "can't parse ReplyKeyboardMarkup"),
        ({"reply_markup": {"force_reply": True, "input_field_placeholder": "x" * 65}}, "1 to 64 characters expected"),
        ({"reply_markup": "{"}, 'can\'t parse "reply_markup" as JSON: InlineKeyboardMarkup expected'),
        ({"reply_markup": 5}, 'wrong parameter "reply_markup": InlineKeyboardMarkup expected'),
    ],
)
def test_wrong_keyboards_are_refused(markup: dict[str, Any], reason: str) -> None:
    code, description = _refusal(Keyboard, markup)
    assert (code, reason in description) == (400, True), description


def test_buttons_that_are_not_built_say_so() -> None:
    code, description = _refusal(Keyboard, _button(pay=True))
    assert (code, "inline keyboard buttons with pay" in description) == (501, True)


@pytest.mark.parametrize("scope", [{"type": "chat"}, {"type": "default", "chat_id": 1}, {"type": "nobody"}])
def test_scopes_need_the_ids_of_their_type(scope: dict[str, Any]) -> None:
    assert _refusal(Scope, {"scope": scope})[0] == 400


def test_every_method_of_the_table_is_official() -> None:
    assert {method.official_name() for method in METHODS.values()} <= set(OFFICIAL_METHODS)
    assert len(OFFICIAL_METHODS) == len(set(OFFICIAL_METHODS)) == 185
