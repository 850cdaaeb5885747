"""The log of the bot's calls and the responses."""

from dataclasses import dataclass

from playground.state.change_feed import ChangeFeed
from playground.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Call:
    """A call. ``result`` is its result or, if it failed, the error. ``fault`` is the fault applied to it, if any."""

    seq: int
    method: str
    params: JsonObject
    ok: bool
    result: object
    fault: str | None = None

    def to_json(self) -> JsonObject:
        """Return the call's entry in ``/sim/outbox``."""
        entry: JsonObject = {
            "seq": self.seq,
            "method": self.method,
            "params": self.params,
            "ok": self.ok,
            "result": self.result,
        }
        return entry if self.fault is None else {**entry, "fault": self.fault}


class CallLog:
    """Every call except getUpdates. Numbering starts at 1 each time the server starts."""

    def __init__(self, changes: ChangeFeed) -> None:
        self._changes = changes
        self._calls: list[Call] = []
        self._cleared = 0

    @property
    def last(self) -> int:
        """The number of the latest call, or 0 before the first call."""
        return self._cleared + len(self._calls)

    def add(self, method: str, params: JsonObject, *, ok: bool, result: object, fault: str | None) -> None:
        """Add a call to the log."""
        call = Call(self.last + 1, method, params, ok, result, fault)
        self._calls.append(call)
        self._changes.publish("call", call=call.to_json())

    async def since(self, seq: int, seconds: float) -> list[Call]:
        """Return the calls with numbers above ``seq``, waiting up to ``seconds`` for the first one."""
        await self._changes.wait_until(lambda: self.last > seq, seconds)
        return self._calls[max(seq - self._cleared, 0) :]

    def clear(self) -> None:
        """Forget all calls, but continue the numbering."""
        self._cleared = self.last
        self._calls.clear()
