"""The bot reaches Telegram, but not this machine, through the environment's HTTP proxy. It reports other proxies."""

import pytest

from bot.connection.proxy import proxy_for
from bot.ptb_application import build_application
from core.errors import BadSetting
from core.settings import Settings

TELEGRAM = "https://api.telegram.org"
HTTP_PROXY = "http://user:pass@proxy.example:3128"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": HTTP_PROXY}, HTTP_PROXY),
        ({"https_proxy": "proxy.example:3128"}, "http://proxy.example:3128"),
        ({"ALL_PROXY": HTTP_PROXY}, HTTP_PROXY),
        ({"HTTP_PROXY": HTTP_PROXY}, None),
        # Desktop environments set these variables.
        ({"HTTPS_PROXY": HTTP_PROXY, "ALL_PROXY": "socks://127.0.0.1:1080/"}, HTTP_PROXY),
        ({"HTTPS_PROXY": HTTP_PROXY, "NO_PROXY": "telegram.org"}, None),
        ({"ALL_PROXY": "socks://127.0.0.1:1080/", "no_proxy": "*"}, None),
        ({"ALL_PROXY": "socks://127.0.0.1:1080/", "no_proxy": "api.telegram.org"}, None),
        ({"HTTPS_PROXY": HTTP_PROXY, "https_proxy": ""}, None),
    ],
)
def test_the_proxy_for_telegram(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], proxy: str | None) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(TELEGRAM) == proxy


@pytest.mark.parametrize("url", ["http://127.0.0.1:8081", "http://localhost:8081", "http://[::1]:8081"])
def test_this_machine_is_reached_directly(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:1080/")
    monkeypatch.setenv("http_proxy", HTTP_PROXY)
    monkeypatch.setenv("no_proxy", "intra.example")
    assert proxy_for(url) is None
    build_application(Settings(_env_file=None, telegram_api_url=url, telegram_token="123456789:AA-x_y"))  # type: ignore[arg-type]  # as in .env


@pytest.mark.parametrize(
    "proxy",
    ["socks://u:pass@127.0.0.1:1080/", "socks5://u:pass@127.0.0.1", "http://u:pass@", "http://u:pass@h:port", "://"],
)
@pytest.mark.parametrize("name", ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"])
def test_a_proxy_that_cannot_be_used_is_reported_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, proxy: str
) -> None:
    monkeypatch.setenv(name, proxy)
    with pytest.raises(BadSetting, match=f"The setting {name} cannot be used: .*NO_PROXY=api.telegram.org") as caught:
        build_application(Settings(_env_file=None, telegram_token="123456789:AA-x_y"))  # type: ignore[arg-type]  # as in .env
    assert "pass" not in str(caught.value)
