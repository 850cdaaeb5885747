"""Faults injected by a person or a test."""

from dataclasses import dataclass, replace

from playground.wire import ApiError, JsonObject

ANY_METHOD = "*"
CALL_FAULTS = (
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
UPDATE_FAULTS = ("duplicate_update", "out_of_order")
KINDS = (*CALL_FAULTS, *UPDATE_FAULTS)

_DESCRIPTIONS = {
    "400": "Bad Request: the playground was told to refuse this call",
    "401": "Unauthorized",
    "403": "Forbidden: bot was blocked by the user",
    "409": "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    "500": "Internal Server Error",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one ``kind`` in the next ``times`` calls to ``method``. ``*`` means every method except getUpdates.

    The kind "slow" uses ``seconds``, "429" uses ``retry_after``, and "migrate" uses ``migrate_to_chat_id``.
    ``description`` replaces an error's default description. For faults in updates, the method is ignored.
    """

    kind: str
    method: str = ANY_METHOD
    times: int = 1
    seconds: float = 3.0
    retry_after: int = 3
    migrate_to_chat_id: int = -1001000000001
    description: str | None = None

    def applies_to(self, method: str) -> bool:
        """Return whether this fault applies to a call to ``method``."""
        if self.kind not in CALL_FAULTS:
            return False
        return method != "getUpdates" if self.method == ANY_METHOD else self.method.lower() == method.lower()

    def error(self) -> ApiError | None:
        """Return the error to respond with, or None if the response is not a JSON error."""
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
        """Return the fault's entry in the list of faults."""
        return {"kind": self.kind, "method": self.method, "times": self.times}


class Faults:
    """The pending faults, oldest first."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a pending fault."""
        self._pending.append(fault)

    def for_call(self, method: str) -> Fault | None:
        """Return the fault that applies to this call, and count one use of it."""
        return self._use(next((fault for fault in self._pending if fault.applies_to(method)), None))

    def for_update(self) -> Fault | None:
        """Return the fault that applies to the next queued update, and count one use of it."""
        return self._use(next((fault for fault in self._pending if fault.kind in UPDATE_FAULTS), None))

    def cancel(self, kind: str) -> None:
        """Cancel the faults of one kind."""
        self._pending = [fault for fault in self._pending if fault.kind != kind]

    def clear(self) -> None:
        """Cancel all faults."""
        self._pending.clear()

    def to_json(self) -> list[JsonObject]:
        """Return the pending faults."""
        return [fault.to_json() for fault in self._pending]

    def _use(self, fault: Fault | None) -> Fault | None:
        if fault is not None:
            index = self._pending.index(fault)
            if fault.times > 1:
                self._pending[index] = replace(fault, times=fault.times - 1)
            else:
                del self._pending[index]
        return fault
