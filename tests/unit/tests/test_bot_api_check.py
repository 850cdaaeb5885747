"""The check that the end-to-end tests hold the bot's calls against is one that can fail."""

import json

from bot_api import bot_api_faults


def test_a_good_call_passes() -> None:
    keyboard = json.dumps({"inline_keyboard": [[{"text": "Right", "callback_data": "judge:1:right"}]]})
    assert bot_api_faults("sendMessage", {"chat_id": "7", "text": "Positive", "reply_markup": keyboard}) == []


def test_unknown_methods_and_parameters_are_faults() -> None:
    assert bot_api_faults("sendVerdict", {}) == ["sendVerdict is no method of the Bot API"]
    assert bot_api_faults("sendMessage", {"chat_id": 7, "text": "x", "colour": "red"}) == [
        "sendMessage has no parameter colour"
    ]


def test_wrong_and_missing_values_are_faults() -> None:
    assert bot_api_faults("sendMessage", {"text": "x"}) == ["sendMessage: chat_id: Field required"]
    assert bot_api_faults("editMessageText", {"chat_id": 7, "message_id": "first", "text": "x"})
