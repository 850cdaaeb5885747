"""The bot's calls in order, with what was answered."""

from dataclasses import dataclass

from playground.state.change_feed import ChangeFeed
from playground.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Call:
    """One call: ``result`` is the answer's result, or for a refused one its error; ``fault`` names what hit it."""

    seq: int
    method: str
    params: JsonObject
    ok: bool
    result: object
    fault: str | None = None

    def to_json(self) -> JsonObject:
        """The entry of ``/sim/outbox``."""
        entry: JsonObject = {
            "seq": self.seq,
            "method": self.method,
            "params": self.params,
            "ok": self.ok,
            "result": self.result,
        }
        return entry if self.fault is None else {**entry, "fault": self.fault}


class CallLog:
    """Every call but getUpdates, numbered from 1 in each run of the server."""

    def __init__(self, changes: ChangeFeed) -> None:
        self._changes = changes
        self._calls: list[Call] = []
        self._dropped = 0

    @property
    def last(self) -> int:
        """The number of the latest call; 0 before the first."""
        return self._dropped + len(self._calls)

    def add(self, method: str, params: JsonObject, *, ok: bool, result: object, fault: str | None) -> None:
        """Write down one call."""
        call = Call(self.last + 1, method, params, ok, result, fault)
        self._calls.append(call)
        self._changes.publish("call", call=call.to_json())

    async def since(self, seq: int, seconds: float) -> list[Call]:
        """Calls numbered above ``seq``; waits up to ``seconds`` for one."""
        await self._changes.until(lambda: self.last > seq, seconds)
        return self._calls[max(seq - self._dropped, 0) :]

    def clear(self) -> None:
        """Forget the calls; numbers go on."""
        self._dropped = self.last
        self._calls.clear()
