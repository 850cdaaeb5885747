"""What methods take: values from forms and from JSON, and the names of what is wrong."""

import json

import pytest

from playground.api.http import METHODS
from playground.api.method_names import OFFICIAL_METHODS
from playground.api.parameter_types import INLINE_KEYBOARD, KEYBOARD, SCOPE
from playground.api.parameters import (
    BOOLEAN,
    CHAT_ID,
    FILE,
    INTEGER,
    STRING,
    array,
    attached,
    between,
    may,
    need,
    read_parameters,
    record,
)
from playground.wire import ApiError, Upload

_DECLARED = {
    "chat_id": need(CHAT_ID),
    "text": may(STRING),
    "limit": may(between(1, 100)),
    "quiet": may(BOOLEAN),
    "names": may(array(STRING)),
    "reply": may(record("Reply", message_id=need(INTEGER))),
}


def _refusal(declared: dict, given: dict) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        read_parameters(declared, given)
    return caught.value.code, caught.value.description


def test_forms_and_json_give_the_same_values() -> None:
    values = {"chat_id": 5, "text": "x", "limit": 7, "quiet": True, "names": ["a"], "reply": {"message_id": 3}}
    as_form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    assert read_parameters(_DECLARED, values) == values
    assert read_parameters(_DECLARED, as_form) == values


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, 'parameter "chat_id" is required'),
        ({"chat_id": None}, 'parameter "chat_id" is required'),
        ({"chat_id": "1", "txt": "x"}, 'unknown parameter "txt"'),
        ({"chat_id": "one"}, 'wrong parameter "chat_id": Integer expected'),
        ({"chat_id": 1, "text": 5}, 'wrong parameter "text": String expected'),
        ({"chat_id": 1, "limit": "101"}, 'wrong parameter "limit": 1 to 100 expected'),
        ({"chat_id": 1, "limit": True}, 'wrong parameter "limit": Integer expected'),
        ({"chat_id": 1, "quiet": "maybe"}, 'wrong parameter "quiet": Boolean expected'),
        ({"chat_id": 1, "names": "a"}, 'can\'t parse "names" as JSON: Array expected'),
        ({"chat_id": 1, "names": {"a": 1}}, 'wrong parameter "names": Array expected'),
        (
            {"chat_id": 1, "reply": {}},
            'wrong parameter "reply": can\'t parse Reply: parameter "message_id" is required',
        ),
        (
            {"chat_id": 1, "reply": {"message_id": 1, "id": 2}},
            'wrong parameter "reply": can\'t parse Reply: unknown parameter "id"',
        ),
    ],
)
def test_the_first_fault_is_named(given: dict, reason: str) -> None:
    assert _refusal(_DECLARED, given) == (400, f"Bad Request: {reason}")


def test_an_attached_upload_takes_the_place_of_its_name() -> None:
    upload = Upload("a.csv", "text/csv", b"x")
    assert attached({"document": "attach://part", "part": upload, "caption": "attach://none"}) == {
        "document": upload,
        "caption": "attach://none",
    }
    assert read_parameters({"document": need(FILE)}, {"document": "some-id"}) == {"document": "some-id"}


def _button(**members: object) -> dict:
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
        (_button(callback_data="x", colour="red"), 'unknown parameter "colour"'),
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
def test_inline_keyboards_have_limits(given: dict, reason: str) -> None:
    code, description = _refusal({"reply_markup": may(INLINE_KEYBOARD)}, given)
    assert code == 400
    assert reason in description


def test_the_longest_callback_data_passes() -> None:
    given = _button(callback_data="x" * 64)
    assert read_parameters({"reply_markup": may(KEYBOARD)}, given) == given


def test_keyboards_that_are_not_built_say_so() -> None:
    code, description = _refusal({"reply_markup": may(KEYBOARD)}, {"reply_markup": {"keyboard": [["x"]]}})
    assert (code, "reply keyboards" in description) == (501, True)


@pytest.mark.parametrize("scope", [{"type": "chat"}, {"type": "default", "chat_id": 1}, {"type": "nobody"}])
def test_scopes_need_what_they_name(scope: dict) -> None:
    assert _refusal({"scope": may(SCOPE)}, {"scope": scope})[0] == 400


def test_every_method_of_the_table_is_official() -> None:
    assert {method.name for method in METHODS.values()} <= set(OFFICIAL_METHODS)
    assert len(OFFICIAL_METHODS) == len(set(OFFICIAL_METHODS)) == 176
