"""A bot that the test plays by calling the Bot API itself."""

from typing import Any

import httpx

from playground.client import PlaygroundClient


class RawBot:
    """Calls methods of the Bot API by name."""

    def __init__(self, playground: PlaygroundClient) -> None:
        self._address = f"{playground.api_url}{playground.token}"

    def call(self, method: str, **params: object) -> Any:
        answer = httpx.post(f"{self._address}/{method}", json=params).json()
        assert answer["ok"], answer
        return answer["result"]
