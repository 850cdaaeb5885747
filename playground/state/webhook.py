"""Posts updates to the bot's webhook, one at a time and in order, and retries until the bot responds with 2xx."""

import time
from collections.abc import Awaitable, Callable
from functools import partial

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

from playground.state.change_feed import ChangeFeed
from playground.state.profile import ProfileFile
from playground.state.updates import Updates
from playground.wire import JsonObject, encode

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # the header's name, not a secret
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0
_ANSWER_SECONDS = 60.0
_FOREVER = 10.0**9


class Webhook:
    """Delivers updates while a webhook is set, and remembers the last failure for getWebhookInfo."""

    def __init__(self, profile: ProfileFile, updates: Updates, changes: ChangeFeed) -> None:
        self._profile = profile
        self._updates = updates
        self._changes = changes
        self._last_error: tuple[int, str] | None = None

    async def deliver(self, on_answer: Callable[[HTTPResponse], Awaitable[None]]) -> None:
        """Deliver updates until cancelled, and call ``on_answer`` with each of the bot's responses.

        A response can name a method to call.
        """
        delay = _FIRST_DELAY_SECONDS
        while True:
            await self._changes.wait_until(self._has_work, _FOREVER)
            url, update = self._profile.current.webhook_url, self._updates.pending[0]
            answer = await self._post(update)
            if not isinstance(answer, str):
                if self._updates.pending[:1] == [update]:
                    self._updates.drop_first()
                delay = _FIRST_DELAY_SECONDS
                await on_answer(answer)
                continue
            self._last_error = (int(time.time()), answer)
            await self._changes.wait_until(partial(self._has_changed, url), delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)

    def forget_errors(self) -> None:
        """Forget the last failure, because the address is changing."""
        self._last_error = None

    def info(self) -> JsonObject:
        """Return Telegram's WebhookInfo."""
        profile = self._profile.current
        info: JsonObject = {
            "url": profile.webhook_url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates.pending),
        }
        if profile.webhook_url:
            info["max_connections"] = profile.webhook_connections
        if profile.allowed_updates:
            info["allowed_updates"] = list(profile.allowed_updates)
        if self._last_error is not None:
            info["last_error_date"], info["last_error_message"] = self._last_error
        return info

    def _has_changed(self, url: str) -> bool:
        return self._profile.current.webhook_url != url

    def _has_work(self) -> bool:
        return bool(self._profile.current.webhook_url and self._updates.pending)

    async def _post(self, update: JsonObject) -> HTTPResponse | str:
        """Deliver one update, and return the bot's response or a description of the failure."""
        headers = {"Content-Type": "application/json"}
        if self._profile.current.webhook_secret:
            headers[SECRET_HEADER] = self._profile.current.webhook_secret
        request = HTTPRequest(
            self._profile.current.webhook_url,
            method="POST",
            headers=headers,
            body=encode(update),
            request_timeout=_ANSWER_SECONDS,
            follow_redirects=False,
        )
        try:
            return await AsyncHTTPClient().fetch(request)
        except HTTPClientError as error:
            return f"Wrong response from the webhook: {error.code} {error.message}"
        except (TimeoutError, OSError, ValueError) as error:
            return f"Connection failed: {error}"
