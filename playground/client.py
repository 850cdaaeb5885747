"""A client that lets tests and drivers act as people in the playground: write, tap buttons and read the chat."""

import json
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import httpx

from playground.errors import PlaygroundRefused
from playground.wire import JsonObject

_REQUEST_SECONDS = 30.0


class PlaygroundClient:
    """A thread-safe client for ``/sim/...`` on the server at ``url``. A rejected request raises PlaygroundRefused.

    ``token`` is the bot's token, and is needed only by callers that also use the Bot API.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._http = httpx.Client(base_url=self.url, timeout=_REQUEST_SECONDS, trust_env=False)

    def __enter__(self) -> "PlaygroundClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def api_url(self) -> str:
        """The ``base_url`` of a ``telegram.Bot``. Its ``base_file_url`` is ``file_url``."""
        return f"{self.url}/bot"

    @property
    def file_url(self) -> str:
        """The ``base_file_url`` of a ``telegram.Bot``."""
        return f"{self.url}/file/bot"

    def message(self, text: str, user_id: int = 2, reply_to: int | None = None) -> JsonObject:
        """Send a text of up to 4,096 UTF-16 code units.

        Return a dictionary with message_id, chat_id, update_id and message.
        """
        return self._post("message", text=text, user_id=user_id, reply_to=reply_to)

    def paste(self, text: str, user_id: int = 2) -> list[JsonObject]:
        """Send a text of any length, split the way Telegram's apps split it.

        Return one result per part, with the same values as ``message``.
        """
        messages: list[JsonObject] = self._post("paste", text=text, user_id=user_id)["messages"]
        return messages

    def forward(self, text: str, user_id: int = 2, channel: str = "Reviews", post: int = 1) -> JsonObject:
        """Forward a channel's post, and return the same values as ``message``."""
        return self._post("forward", text=text, user_id=user_id, channel=channel, post=post)

    def edit(self, message_id: int, text: str, user_id: int = 2, photo: bytes | None = None) -> JsonObject:
        """Edit the person's own message, and return the same values as ``message``.

        If ``photo`` contains the bytes of an image, the message becomes that image, and ``text`` becomes its caption.
        """
        if photo is None:
            return self._post("edit", message_id=message_id, text=text, user_id=user_id)
        values = {"message_id": str(message_id), "text": text, "user_id": str(user_id)}
        return self._upload("edit", "photo.png", photo, values, field="photo")

    def delete(self, message_id: int, user_id: int = 2) -> JsonObject:
        """Delete a message in the person's chat for both sides."""
        return self._post("delete", message_id=message_id, user_id=user_id)

    def tap(
        self, message_id: int, label: str | None = None, *, data: str | None = None, user_id: int = 2
    ) -> JsonObject:
        """Tap the button with this label or data, and return callback_id and update_id."""
        return self._post("tap", chat_id=user_id, message_id=message_id, label=label, data=data, user_id=user_id)

    def document(self, file_name: str, content: bytes, user_id: int = 2, caption: str = "") -> JsonObject:
        """Send a file, and return the same values as ``message``."""
        return self._upload("document", file_name, content, {"user_id": str(user_id), "caption": caption})

    def photo(self, file_name: str, content: bytes, user_id: int = 2, caption: str = "") -> JsonObject:
        """Send a PNG, GIF or JPEG as a photo, and return the same values as ``message``."""
        return self._upload("photo", file_name, content, {"user_id": str(user_id), "caption": caption})

    def album(self, content: bytes, captions: Sequence[str], user_id: int = 2) -> list[JsonObject]:
        """Send an album that repeats one image, once for each caption. Captions may be empty.

        Return one result per item, with the same values as ``message``.
        """
        values = {"captions": json.dumps(captions), "user_id": str(user_id)}
        messages: list[JsonObject] = self._upload("album", "photo.png", content, values, field="photo")["messages"]
        return messages

    def video(self, user_id: int = 2, caption: str = "") -> JsonObject:
        """Send a video, and return the same values as ``message``."""
        return self._post("video", user_id=user_id, caption=caption)

    def voice(self, user_id: int = 2, duration: int = 1, caption: str = "") -> JsonObject:
        """Send a voice message that is ``duration`` seconds long, and return the same values as ``message``."""
        return self._post("voice", user_id=user_id, duration=duration, caption=caption)

    def sticker(self, emoji: str = "👍", user_id: int = 2) -> JsonObject:
        """Send a sticker, and return the same values as ``message``."""
        return self._post("sticker", user_id=user_id, emoji=emoji)

    def fault(self, kind: str, method: str = "*", times: int = 1, **details: object) -> JsonObject:
        """Add a fault. ``details`` can include seconds, retry_after, migrate_to_chat_id and description."""
        return self._post("fault", kind=kind, method=method, times=times, **details)

    def clear_faults(self) -> JsonObject:
        """Cancel all pending faults."""
        return self._post("clear_faults")

    def reset(self) -> int:
        """Clear chats, calls, faults and pending updates, and return the number of the latest call."""
        return int(self._post("reset")["seq"])

    def outbox(self, since: int = 0, wait: int = 0) -> list[JsonObject]:
        """Return the bot's calls with numbers above ``since``, waiting up to ``wait`` seconds for the first one."""
        calls: list[JsonObject] = self._get("outbox", since=since, wait=wait)
        return calls

    def chat(self, chat_id: int = 2, since: int | None = None, wait: int = 0) -> JsonObject:
        """Return the chat as the user sees it, waiting up to ``wait`` seconds for a version above ``since``."""
        chat: JsonObject = self._get(f"chat/{chat_id}", since=since, wait=wait)
        return chat

    def status(self, wait: int = 0) -> JsonObject:
        """Return the state of the bot and its queue, waiting up to ``wait`` seconds for the bot to listen."""
        status: JsonObject = self._get("status", wait=wait)
        return status

    def wait_for_chat(
        self, condition: Callable[[JsonObject], bool], chat_id: int = 2, seconds: float = 30.0
    ) -> JsonObject:
        """Return the chat once ``condition`` is true, or raise TimeoutError after ``seconds``."""
        deadline = time.monotonic() + seconds
        chat = self.chat(chat_id)
        while not condition(chat):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"Chat {chat_id} did not change as expected within {seconds} s: {chat['messages']}")
            chat = self.chat(chat_id, since=chat["version"], wait=max(1, int(left)))
        return chat

    def wait_for_call(self, method: str, since: int = 0, seconds: float = 30.0) -> JsonObject:
        """Return the first call to ``method`` numbered above ``since``, or raise TimeoutError after ``seconds``."""
        deadline = time.monotonic() + seconds
        seen = since
        while (left := deadline - time.monotonic()) > 0:
            for call in self.outbox(seen, wait=max(1, int(left))):
                seen = call["seq"]
                if call["method"] == method:
                    return call
        raise TimeoutError(f"The bot did not call {method} within {seconds} s; it made {seen - since} other calls.")

    def _post(self, action: str, **values: object) -> JsonObject:
        given = {name: value for name, value in values.items() if value is not None}
        answer: JsonObject = self._checked(self._http.post(f"/sim/{action}", json=given))
        return answer

    def _upload(
        self, action: str, file_name: str, content: bytes, values: dict[str, str], field: str | None = None
    ) -> JsonObject:
        """Post a file in ``field``, which defaults to the action's name."""
        files = {field or action: (file_name, content)}
        answer: JsonObject = self._checked(self._http.post(f"/sim/{action}", data=values, files=files))
        return answer

    def _get(self, path: str, /, **values: int | None) -> Any:  # noqa: ANN401  # JSON of any shape
        given = {name: value for name, value in values.items() if value is not None}
        return self._checked(
            self._http.get(f"/sim/{path}", params=given, timeout=_REQUEST_SECONDS + (values.get("wait") or 0))
        )

    def _checked(self, response: httpx.Response) -> Any:  # noqa: ANN401  # JSON of any shape
        answer = response.json()
        if response.is_error:
            raise PlaygroundRefused(path=response.request.url.path, reason=answer["error"])
        return answer
