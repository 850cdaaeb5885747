"""Builds PTB's application, which the bot uses to call and poll Telegram."""

import httpx
from telegram.error import InvalidToken
from telegram.ext import Application, ApplicationBuilder
from telegram.request import HTTPXRequest

from bot.connection.proxy import proxy_for
from bot.receiving.long_polling import UpdateRequest
from core.errors import BadSetting
from core.settings import Settings

# Maximum number of connections for calls, and for polls. These are PTB's defaults.
_CALL_CONNECTIONS, _POLL_CONNECTIONS = 256, 1


def build_application(settings: Settings) -> Application:  # type: ignore[type-arg]  # six parameters, all PTB's defaults
    """Build PTB's application without an updater or a rate limiter, because the bot has its own.

    Raise BadSetting if the token is malformed, or if the environment names a proxy that cannot be used.
    """
    api = settings.telegram_api_url.rstrip("/")
    proxy = proxy_for(api)
    try:
        return (
            ApplicationBuilder()
            .token(settings.token)
            .base_url(f"{api}/bot")
            .base_file_url(f"{api}/file/bot")
            .request(HTTPXRequest(httpx_kwargs={"transport": _transport(proxy, _CALL_CONNECTIONS)}))
            .get_updates_request(UpdateRequest(httpx_kwargs={"transport": _transport(proxy, _POLL_CONNECTIONS)}))
            .updater(None)
            .build()
        )
    except InvalidToken as error:
        raise BadSetting(name="TELEGRAM_TOKEN", reason="it does not look like a token from @BotFather") from error


def _transport(proxy: str | None, connections: int) -> httpx.AsyncHTTPTransport:
    """Return an explicit transport.

    By default, httpx reads every proxy in the environment and fails on some of them.
    """
    return httpx.AsyncHTTPTransport(proxy=proxy, limits=httpx.Limits(max_connections=connections))
