"""Requests that Telegram accepts or rejects. No client library sends all of them, so the tests send them directly."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playground_process import TOKEN, running_playground

from playground.client import PlaygroundClient
from playground.errors import PlaygroundRefused

LONE_SURROGATE = chr(92) + "ud83d"
DEEP = "[" * 100_000 + "]" * 100_000


class Bot:
    """Posts requests to Bot API methods by name."""

    def __init__(self, playground: PlaygroundClient) -> None:
        self.first = playground.message("Hello")["message_id"]
        self._http = httpx.Client(base_url=f"{playground.api_url}{TOKEN}")

    def call(self, method: str, **values: object) -> Any:
        """Return the result of a call with a JSON body."""
        answer = self._http.post(f"/{method}", json=values).json()
        assert answer["ok"], answer
        return answer["result"]

    def refusal(self, method: str, **values: object) -> tuple[int, str]:
        """Make a call with a JSON body that must fail, and return the error's status and description."""
        answer = self._http.post(f"/{method}", json=values)
        assert not answer.json()["ok"]
        assert answer.json()["error_code"] == answer.status_code
        return answer.status_code, answer.json()["description"]

    def post(self, method: str, **request: Any) -> httpx.Response:
        """Post a request in any form."""
        return self._http.post(f"/{method}", **request)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaygroundClient]:
    with running_playground(tmp_path_factory.mktemp("playground")) as client:
        yield client


@pytest.fixture
def playground(server: PlaygroundClient) -> PlaygroundClient:
    """Empty the server that all tests in this module share, and return it."""
    server.reset()
    return server


@pytest.fixture
def bot(playground: PlaygroundClient) -> Bot:
    return Bot(playground)


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("request_", "description"),
    [
        (
            {"content": f'{{"chat_id":2,"text":"a{LONE_SURROGATE}z"}}', "headers": JSON},
            "strings must be encoded in UTF-8",
        ),
        (
            {"content": f'{{"chat_id":2,"text":"a","{LONE_SURROGATE}":1}}', "headers": JSON},
            "strings must be encoded in UTF-8",
        ),
        ({"content": '{"chat_id":2,"text":"é"}'.encode("utf-16"), "headers": JSON}, "strings must be encoded in UTF-8"),
        ({"content": f'{{"chat_id":2,"text":"a","x":{DEEP}}}', "headers": JSON}, "can't parse the body as JSON"),
        ({"content": '{"chat_id":2,"text":"a","x":1e999}', "headers": JSON}, "can't parse the body as JSON"),
        (
            {"data": {"chat_id": "2", "text": "a", "entities": f'[{{"type":"{LONE_SURROGATE}"}}]'}},
            "strings must be encoded in UTF-8",
        ),
        (
            {"data": {"chat_id": "2", "text": "a", "reply_markup": DEEP}},
            'can\'t parse "reply_markup" as JSON: InlineKeyboardMarkup expected',
        ),
    ],
    ids=["text", "name", "utf-16", "depth", "infinity", "text in a form", "depth in a form"],
)
def test_what_cannot_be_written_as_json_is_refused_and_not_kept(
    playground: PlaygroundClient, bot: Bot, request_: dict, description: str
) -> None:
    answer = bot.post("sendMessage", **request_)
    assert (answer.status_code, answer.json()["description"]) == (400, f"Bad Request: {description}")
    assert len(playground.chat()["messages"]) == 1
    assert playground.outbox()[-1]["ok"] is False


@pytest.mark.parametrize(
    "values", [f'{{"text":"{LONE_SURROGATE}"}}', f'{{"text":{DEEP}}}', '{"text":"a","user_id":1e999}']
)
def test_the_people_can_send_nothing_that_is_not_json(playground: PlaygroundClient, values: str) -> None:
    answer = httpx.post(f"{playground.url}/sim/message", content=values, headers=JSON)
    assert (answer.status_code, "Bad Request" in answer.json()["error"]) == (400, True)
    assert playground.chat()["messages"] == []
    assert playground.status()["pending_updates"] == 0


@pytest.mark.parametrize("user_id", [2**52, 2**63, 99999999999999999999999, 0, -1])
def test_ids_that_no_person_has_are_refused(playground: PlaygroundClient, user_id: int) -> None:
    answer = httpx.post(f"{playground.url}/sim/message", json={"text": "a", "user_id": user_id})
    assert (answer.status_code, "at most 52 bits" in answer.json()["error"]) == (400, True)
    assert httpx.get(f"{playground.url}/sim/chat/{2**63}").status_code == 400
    assert playground.status()["pending_updates"] == 0
    assert playground.message("a", user_id=2**52 - 1)["chat_id"] == 2**52 - 1


def test_unknown_parameters_are_ignored_and_logged(playground: PlaygroundClient, bot: Bot) -> None:
    button = {"text": "Right", "callback_data": "r", "hide": False}
    sent = bot.call("sendMessage", chat_id=2, text="a", colour="red", reply_markup={"inline_keyboard": [[button]]})
    assert sent["reply_markup"] == {"inline_keyboard": [[{"text": "Right", "callback_data": "r"}]]}
    assert playground.outbox()[-1]["params"]["colour"] == "red"
    upload = {"method": (None, "sendDocument"), "chat_id": (None, "2"), "document": ("a.csv", b"x")}
    assert bot.post("sendDocument", files=upload).json()["result"]["document"]["file_name"] == "a.csv"


def test_numbers_and_booleans_are_read_as_their_texts(bot: Bot) -> None:
    assert bot.call("sendMessage", chat_id=2, text=5)["text"] == "5"
    assert bot.call("sendMessage", chat_id=2, text=True, protect_content=1)["text"] == "true"
    assert bot.refusal("sendMessage", chat_id=2, text="a", protect_content=2)[1].endswith("Boolean expected")
    assert bot.refusal("sendMessage", chat_id=2, text="a", reply_markup=5)[0] == 400


def test_older_parameters_are_still_taken(bot: Bot) -> None:
    sent = bot.call(
        "sendMessage",
        chat_id=2,
        text="https://example.com",
        reply_to_message_id=bot.first,
        disable_web_page_preview=True,
    )
    assert sent["reply_to_message"]["text"] == "Hello"
    assert sent["link_preview_options"] == {"is_disabled": True}
    upload = {"chat_id": (None, "2"), "document": ("a.csv", b"x"), "reply_to_message_id": (None, str(bot.first))}
    assert bot.post("sendDocument", files=upload).json()["result"]["reply_to_message"]["message_id"] == bot.first
    assert "reply_to_message" not in bot.call("sendMessage", chat_id=2, text="a", reply_to_message_id=0)
    assert bot.refusal("sendMessage", chat_id=2, text="a", reply_to_message_id=9999)[1] == (
        "Bad Request: message to be replied not found"
    )
    absent = {"reply_to_message_id": 9999, "allow_sending_without_reply": True}
    assert "reply_to_message" not in bot.call("sendMessage", chat_id=2, text="a", **absent)
    edited = bot.call(
        "editMessageText", chat_id=2, message_id=sent["message_id"], text="b", disable_web_page_preview=True
    )
    assert edited["link_preview_options"] == {"is_disabled": True}


@pytest.mark.parametrize("name", ["suggested_post_parameters", "ephemeral_message_parameters", "receiver_user_id"])
def test_parameters_that_the_playground_lacks_are_not_ignored(bot: Bot, name: str) -> None:
    assert bot.refusal("sendMessage", chat_id=2, text="a", **{name: {}})[0] == 501


@pytest.mark.parametrize(
    ("method", "values", "description"),
    [
        ("sendMessage", {"chat_id": 2}, "message text is empty"),
        ("sendMessage", {"chat_id": 2, "text": ""}, "message text is empty"),
        ("sendMessage", {"text": "a"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": "", "text": "a"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": "somebody", "text": "a"}, "chat not found"),
        ("sendMessage", {"chat_id": "99999999999999999999", "text": "a"}, "chat not found"),
        ("sendMessage", {"chat_id": 10**30, "text": "a"}, "chat not found"),
        ("editMessageText", {"chat_id": 2, "message_id": 1}, "message text is empty"),
        ("editMessageText", {"chat_id": 2, "text": "a"}, "message identifier is not specified"),
        ("editMessageText", {"message_id": 1, "text": "a"}, "chat_id is empty"),
        ("deleteMessage", {"chat_id": 2}, "message identifier is not specified"),
        ("sendDocument", {"chat_id": 2}, "there is no document in the request"),
        ("sendPhoto", {"chat_id": 2}, "there is no photo in the request"),
        ("sendChatAction", {"chat_id": 2}, "wrong parameter action in request"),
        ("setMyCommands", {"commands": [{"command": "Bad", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ("setMyCommands", {"commands": [{"command": "a", "description": ""}]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
    ],
)
def test_refusals_have_the_words_that_bots_look_for(bot: Bot, method: str, values: dict, description: str) -> None:
    assert bot.refusal(method, **values) == (400, f"Bad Request: {description}")
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    assert bot.post(method, data=form).json()["description"] == f"Bad Request: {description}"


def test_dates_and_mentions_of_people(bot: Bot) -> None:
    cleo = {"id": 3, "is_bot": False, "first_name": "Cleo", "username": "cleo", "language_code": "en"}
    html = '<tg-time unix="1647531900" format="tDw">22:45</tg-time> <a href="tg://user?id=3">her</a>'
    date = {"type": "date_time", "unix_time": 1647531900, "date_time_format": "wDt"}
    expected = [{**date, "offset": 0, "length": 5}, {"type": "text_mention", "offset": 6, "length": 3, "user": cleo}]
    assert bot.call("sendMessage", chat_id=2, text=html, parse_mode="HTML")["entities"] == expected
    given = [{**expected[0], "date_time_format": "wtD"}, {**expected[1], "user": {"id": 3, "first_name": "x"}}]
    assert bot.call("sendMessage", chat_id=2, text="22:45 her", entities=given)["entities"] == expected
    assert bot.refusal(
        "sendMessage", chat_id=2, text="22:45", entities=[{"type": "date_time", "offset": 0, "length": 1}]
    ) == (
        400,
        "Bad Request: can't parse MessageEntity: Can't find field \"unix_time\"",
    )


@pytest.mark.parametrize(
    ("parse_mode", "text", "reason"),
    [
        ("MarkdownV2", "*Right* \\- 90\\.5%", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("Markdown", "*Right* - 90.5%", "Can't find end of the entity starting at byte offset 2"),
        ("markdownv2", "*Right* \\- 90\\.5%", "Character '.' is reserved and must be escaped with the preceding '\\'"),
    ],
)
def test_markdown_is_read(bot: Bot, parse_mode: str, text: str, reason: str) -> None:
    sent = bot.call("sendMessage", chat_id=2, text=text, parse_mode=parse_mode)
    assert (sent["text"], sent["entities"]) == ("Right - 90.5%", [{"type": "bold", "offset": 0, "length": 5}])
    wrong = "a." if "2" in parse_mode else "a *b"
    refusal = bot.refusal("sendMessage", chat_id=2, text=wrong, parse_mode=parse_mode)
    assert refusal == (400, f"Bad Request: can't parse entities: {reason}")


def test_a_reply_keyboard_stays_until_it_is_removed_or_used(playground: PlaygroundClient, bot: Bot) -> None:
    rows = {"keyboard": [["Yes", "No"]]}
    sent = bot.call("sendMessage", chat_id=2, text="Sure?", reply_markup=rows)
    assert "reply_markup" not in sent
    shown = {"keyboard": [[{"text": "Yes"}, {"text": "No"}]]}
    assert playground.chat()["reply_keyboard"] == {**shown, "message_id": sent["message_id"]}
    playground.message("Yes")
    assert playground.chat()["reply_keyboard"] is not None
    bot.call("sendMessage", chat_id=2, text="Good", reply_markup={"remove_keyboard": True})
    assert playground.chat()["reply_keyboard"] is None
    for markup in ({**rows, "one_time_keyboard": True}, {"force_reply": True}):
        bot.call("sendMessage", chat_id=2, text="Sure?", reply_markup=markup)
        assert playground.chat()["reply_keyboard"] is not None
        playground.message("Yes")
        assert playground.chat()["reply_keyboard"] is None
    asked = bot.call("sendMessage", chat_id=2, text="Sure?", reply_markup={"force_reply": True})
    bot.call("deleteMessage", chat_id=2, message_id=asked["message_id"])
    assert playground.chat()["reply_keyboard"] is None


def test_buttons_that_send_the_bot_nothing(playground: PlaygroundClient, bot: Bot) -> None:
    buttons = [[{"text": "Copy", "copy_text": {"text": "abc"}}, {"text": "Ask", "switch_inline_query": "x"}]]
    sent = bot.call("sendMessage", chat_id=2, text="a", reply_markup={"inline_keyboard": buttons})
    assert sent["reply_markup"]["inline_keyboard"] == buttons
    with pytest.raises(PlaygroundRefused, match="the button 'Copy' does not send anything to the bot"):
        playground.tap(sent["message_id"], "Copy")


MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("size", [50 * MEBIBYTE + 1, 51 * MEBIBYTE, 80 * MEBIBYTE])
def test_a_file_that_is_too_large_gets_an_answer(playground: PlaygroundClient, bot: Bot, size: int) -> None:
    content = b"x" * size
    answer = bot.post("sendDocument", data={"chat_id": "2"}, files={"document": ("a.bin", content)})
    expected = {"ok": False, "error_code": 413, "description": "Request Entity Too Large"}
    assert (answer.status_code, answer.json()) == (413, expected)
    answer = httpx.post(f"{playground.url}/sim/document", files={"document": ("a.bin", content)})
    assert (answer.status_code, answer.json()) == (413, {"error": "Request Entity Too Large"})
    assert len(playground.chat()["messages"]) == 1


def test_a_document_of_50_megabytes_is_taken(bot: Bot) -> None:
    content = b"x" * (50 * MEBIBYTE)
    answer = bot.post("sendDocument", data={"chat_id": "2"}, files={"document": ("a.bin", content)})
    assert answer.json()["result"]["document"]["file_size"] == len(content)


def test_a_body_that_is_no_form_gets_an_answer(bot: Bot) -> None:
    answer = bot.post("sendMessage", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=y"})
    assert (answer.status_code, answer.json()["error_code"]) == (400, 400)
    assert answer.json()["description"].startswith("Bad Request: can't parse the body")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.com:1234/x", "Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ("https://example.com:99999/x", "Port out of range 0-65535"),
        ("http://example.com/x", "An HTTPS URL must be provided for webhook"),
        ("https://", "An HTTPS URL must be provided for webhook"),
        ("example.com", "An HTTPS URL must be provided for webhook"),
    ],
)
def test_webhooks_need_https_and_a_port_that_telegram_calls(bot: Bot, url: str, reason: str) -> None:
    assert bot.refusal("setWebhook", url=url) == (400, f"Bad Request: bad webhook: {reason}")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com:88/x",
        "https://example.com:8443",
        "http://localhost:1",
        "https://[::1]:1",
    ],
)
def test_webhooks_on_this_machine_may_have_any_port(bot: Bot, url: str) -> None:
    assert bot.call("setWebhook", url=url)
    assert bot.call("getWebhookInfo")["url"] == url
    assert bot.call("deleteWebhook")


def test_a_reply_quotes_a_part_of_the_message(playground: PlaygroundClient, bot: Bot) -> None:
    review = playground.message("👍 A fine film. Fine, but long.")["message_id"]
    parameters = {"message_id": review, "quote": " fine ", "quote_position": 5}
    sent = bot.call("sendMessage", chat_id=2, text="Why", reply_parameters=parameters)
    assert sent["quote"] == {"text": "fine", "position": 5, "is_manual": True}
    assert sent["reply_to_message"]["message_id"] == review
    bold = bot.call("sendMessage", chat_id=2, text="<b>So</b> fine", parse_mode="HTML")["message_id"]
    parameters = {"message_id": bold, "quote": "<b>So</b> fine", "quote_parse_mode": "HTML"}
    sent = bot.call("sendMessage", chat_id=2, text="Why", reply_parameters=parameters)
    assert sent["quote"]["entities"] == [{"type": "bold", "offset": 0, "length": 2}]


@pytest.mark.parametrize("quote", ["a fine film", "A  fine", "<b>fine</b>", "x" * 1025])
def test_a_quote_that_is_not_in_the_message_is_refused(playground: PlaygroundClient, bot: Bot, quote: str) -> None:
    review = playground.message("A fine film.")["message_id"]
    parameters = {"message_id": review, "quote": quote, "allow_sending_without_reply": True}
    refused = bot.refusal("sendMessage", chat_id=2, text="Why", reply_parameters=parameters)
    assert refused == (400, "Bad Request: QUOTE_TEXT_INVALID")


def test_a_quote_of_a_message_that_is_gone_is_left_out(bot: Bot) -> None:
    parameters = {"message_id": 9_999, "quote": "A fine film.", "allow_sending_without_reply": True}
    sent = bot.call("sendMessage", chat_id=2, text="Why", reply_parameters=parameters)
    assert "quote" not in sent
    assert "reply_to_message" not in sent
