"""Faults that a person or a test orders: what goes wrong, at which method, how many times."""

from dataclasses import dataclass, replace

from playground.wire import ApiError, JsonObject

ANY_METHOD = "*"
ON_ANSWERS = (
    "400",
    "401",
    "403",
    "409",
    "429",
    "migrate",
    "500",
    "html_502",
    "hang",
    "slow",
    "dropped_before",
    "answer_lost",
)
ON_UPDATES = ("duplicate_update", "out_of_order")
KINDS = (*ON_ANSWERS, *ON_UPDATES)

_DESCRIPTIONS = {
    "400": "Bad Request: the playground was told to refuse this call",
    "401": "Unauthorized",
    "403": "Forbidden: bot was blocked by the user",
    "409": "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    "500": "Internal Server Error",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """``kind`` happens to the next ``times`` calls of ``method``; ``*`` is every method but getUpdates.

    ``seconds`` is for slow, ``retry_after`` for 429, ``migrate_to_chat_id`` for migrate; ``description`` replaces
    the usual one of an error. Faults on updates disregard the method.
    """

    kind: str
    method: str = ANY_METHOD
    times: int = 1
    seconds: float = 3.0
    retry_after: int = 3
    migrate_to_chat_id: int = -1001000000001
    description: str | None = None

    def hits(self, method: str) -> bool:
        """Whether it waits for this call."""
        if self.kind not in ON_ANSWERS:
            return False
        return method != "getUpdates" if self.method == ANY_METHOD else self.method.lower() == method.lower()

    def error(self) -> ApiError | None:
        """The error that it answers with, if it answers with one that is JSON."""
        if self.kind == "429":
            description = self.description or f"Too Many Requests: retry after {self.retry_after}"
            return ApiError(429, description, {"retry_after": self.retry_after})
        if self.kind == "migrate":
            description = self.description or "Bad Request: group chat was upgraded to a supergroup chat"
            return ApiError(400, description, {"migrate_to_chat_id": self.migrate_to_chat_id})
        if self.kind in _DESCRIPTIONS:
            return ApiError(int(self.kind), self.description or _DESCRIPTIONS[self.kind])
        return None

    def to_json(self) -> JsonObject:
        """The entry of the list of faults."""
        return {"kind": self.kind, "method": self.method, "times": self.times}


class Faults:
    """The faults that are ordered and have not happened yet, oldest first."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []

    def order(self, fault: Fault) -> None:
        """Let it happen."""
        self._ordered.append(fault)

    def for_call(self, method: str) -> Fault | None:
        """The fault that hits this call, which uses it up once."""
        return self._take(next((fault for fault in self._ordered if fault.hits(method)), None))

    def for_update(self) -> Fault | None:
        """The fault that hits the update that is about to be queued, which uses it up once."""
        return self._take(next((fault for fault in self._ordered if fault.kind in ON_UPDATES), None))

    def cancel(self, kind: str) -> None:
        """Call those of one kind off."""
        self._ordered = [fault for fault in self._ordered if fault.kind != kind]

    def clear(self) -> None:
        """Call all of them off."""
        self._ordered.clear()

    def to_json(self) -> list[JsonObject]:
        """What is still to happen."""
        return [fault.to_json() for fault in self._ordered]

    def _take(self, fault: Fault | None) -> Fault | None:
        if fault is not None:
            place = self._ordered.index(fault)
            if fault.times > 1:
                self._ordered[place] = replace(fault, times=fault.times - 1)
            else:
                del self._ordered[place]
        return fault
