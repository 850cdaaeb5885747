"""A small Bot API server that delivers a test's updates exactly as given, even if they are broken."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx

TOKEN = "1000003:token-of-the-small-server"
_ME = {"id": 1000003, "is_bot": True, "first_name": "Thumbs", "username": "thumbs_bot"}
_SENT = {"message_id": 99, "date": 1_000, "chat": {"id": 7, "type": "private"}, "text": "sent"}
# Number of seconds that a poll stays open while there are no updates.
_POLL_SECONDS = 0.1
# Number of seconds that a test waits for a call.
_SOON = 30.0


@dataclass
class BotApiServer:
    """Stores the calls received so far, and the unconfirmed updates as JSON."""

    url: str = ""
    updates: dict[int, str] = field(default_factory=dict)
    failures: list[tuple[int, bytes]] = field(default_factory=list)
    webhook: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def send(self, position: int, update: str) -> None:
        """Deliver an update until a poll asks for a later one. ``position`` is the update's id, if it has one."""
        with self.changed:
            self.updates[position] = update

    def wait_for(self, found: Callable[["BotApiServer"], bool]) -> None:
        """Wait until ``found`` is true, checking after each call."""
        with self.changed:
            assert self.changed.wait_for(lambda: found(self), _SOON), self.calls

    def polls(self) -> list[dict[str, str]]:
        """The parameters of each getUpdates call."""
        return [params for method, params in self.calls if method == "getUpdates"]

    def answer(self, method: str, params: dict[str, str]) -> tuple[int, bytes]:
        """Record a call, and return its status and response."""
        with self.changed:
            self.calls.append((method, params))
            if method == "setWebhook":
                self.webhook = params
            self.changed.notify_all()
            if method == "getUpdates":
                if self.failures:
                    return self.failures.pop(0)
                return 200, self._poll(int(params.get("offset", 0)))
        info = {"url": self.webhook.get("url", ""), "has_custom_certificate": False, "pending_update_count": 0}
        results = {"getMe": _ME, "getWebhookInfo": info, "sendMessage": _SENT}
        return 200, json.dumps({"ok": True, "result": results.get(method, True)}).encode()

    def post(self, update: str) -> int:
        """Post an update to the webhook once it is registered, and return the status of the response."""
        self.wait_for(lambda state: bool(state.webhook))
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook["secret_token"]}
        return httpx.post(self.webhook["url"], content=update, headers=headers, trust_env=False).status_code

    def _poll(self, offset: int) -> bytes:
        self.updates = {position: update for position, update in self.updates.items() if position >= offset}
        if not self.updates:
            self.changed.wait(_POLL_SECONDS)
        return f'{{"ok": true, "result": [{", ".join(self.updates.values())}]}}'.encode()


@contextmanager
def running_server() -> Iterator[BotApiServer]:
    """Run a server on a free port."""
    state = BotApiServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Print nothing, so that a test's output stays readable."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            params = {name: values[0] for name, values in parse_qs(body).items()}
            status, response = state.answer(self.path.rsplit("/", 1)[1], params)
            self.send_response(status)
            self.send_header("Content-Length", str(len(response)))
            self.end_headers()
            with suppress(BrokenPipeError):  # the bot stopped while it polled
                self.wfile.write(response)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
