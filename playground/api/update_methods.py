"""Bot API methods for updates: long polling, the webhook, responses to taps, and file downloads."""

from typing import Annotated
from urllib.parse import urlsplit

from core.hosts import is_loopback
from playground.api.bot_method import BotMethod, MethodTable
from playground.api.parameter_types import SecretToken, UploadedFile, between
from playground.state.files import DOWNLOAD_LIMIT
from playground.state.world import World
from playground.wire import JsonObject, bad_request, conflict, not_built

ANSWER_TEXT_LIMIT = 200
_LONGEST_POLL_SECONDS = 50
_WEBHOOK_PORTS = (80, 88, 443, 8443)
_DEFAULT_PORTS = {"http": 80, "https": 443}

METHODS = MethodTable()


@METHODS.add
class GetUpdates(BotMethod):
    """Fetch updates by long polling.

    Raise ApiError while a webhook is set. End any other getUpdates call in progress.
    """

    offset: int = 0
    limit: Annotated[int, between(1, 100)] = 100
    timeout: int = 0
    allowed_updates: list[str] | None = None

    async def call(self, world: World) -> list[JsonObject]:
        if world.profile.current.webhook_url:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        if self.allowed_updates is not None:
            world.profile.change(allowed_updates=tuple(self.allowed_updates))
        return await world.updates.poll(self.offset, self.limit, min(max(self.timeout, 0), _LONGEST_POLL_SECONDS))


@METHODS.add
class SetWebhook(BotMethod):
    """Post updates to ``url``. Unlike Telegram, allow plain HTTP and any port on this machine."""

    url: str
    certificate: UploadedFile | None = None
    ip_address: str | None = None
    max_connections: Annotated[int, between(1, 100)] = 40
    allowed_updates: list[str] | None = None
    drop_pending_updates: bool = False
    secret_token: SecretToken = ""

    def call(self, world: World) -> bool:
        if self.url:
            _check_webhook_address(self.url)
        for name in ("certificate", "ip_address"):
            if name in self.model_fields_set:
                raise not_built(f"{name} for webhooks")
        if self.drop_pending_updates:
            world.updates.clear()
        world.webhook.forget_errors()
        current = world.profile.current.allowed_updates
        world.profile.change(
            webhook_url=self.url,
            webhook_secret=self.secret_token,
            webhook_connections=self.max_connections,
            allowed_updates=current if self.allowed_updates is None else tuple(self.allowed_updates),
        )
        if self.url:
            world.updates.end_poll(conflict("terminated by setWebhook request"))
        world.changes.publish("status")
        return True


def _check_webhook_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError as error:
        raise bad_request(f"bad webhook: {error}") from error
    if not host or parts.scheme not in _DEFAULT_PORTS or (parts.scheme == "http" and not is_loopback(host)):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if port not in _WEBHOOK_PORTS and not is_loopback(host):
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


@METHODS.add
class DeleteWebhook(BotMethod):
    """Remove the webhook, and go back to long polling."""

    drop_pending_updates: bool = False

    def call(self, world: World) -> bool:
        if self.drop_pending_updates:
            world.updates.clear()
        world.webhook.forget_errors()
        world.profile.change(webhook_url="", webhook_secret="")
        world.changes.publish("status")
        return True


@METHODS.add
class GetWebhookInfo(BotMethod):
    """Return the webhook's address, the number of pending updates, and the last failure."""

    def call(self, world: World) -> JsonObject:
        return world.webhook.info()


@METHODS.add
class AnswerCallbackQuery(BotMethod):
    """Answer a tap, with a short notice, an alert or nothing."""

    callback_query_id: str
    text: str = ""
    show_alert: bool = False
    url: str | None = None
    cache_time: int = 0

    def call(self, world: World) -> bool:
        if len(self.text) > ANSWER_TEXT_LIMIT:
            raise bad_request("MESSAGE_TOO_LONG")
        tap = world.callbacks.pop(self.callback_query_id)
        world.changes.publish(
            "callback_answer",
            callback_id=tap.id,
            chat_id=tap.chat_id,
            user_id=tap.user_id,
            text=self.text,
            show_alert=self.show_alert,
        )
        return True


@METHODS.add
class GetFile(BotMethod):
    """Return the download path for a file of up to 20 MB."""

    file_id: str

    def call(self, world: World) -> JsonObject:
        stored = world.files.find(self.file_id)
        if stored.size > DOWNLOAD_LIMIT:
            raise bad_request("file is too big")
        return {**stored.to_api(), "file_path": stored.path}
