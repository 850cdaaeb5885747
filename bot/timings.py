"""How long the bot's work takes, measured in this process since it started."""

from typing import Final

from prometheus_client import Counter, Histogram

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

RECEIVED: Final = Counter("thumbs_updates_received", "Updates that were stored.")
HANDLING: Final = Histogram("thumbs_handling_seconds", "Handling of an update, without sending.", buckets=_SECONDS)
CLASSIFYING: Final = Histogram("thumbs_classifying_seconds", "Classifying a text, with the wait.", buckets=_SECONDS)
CALLING: Final = Histogram("thumbs_calling_seconds", "One call to Telegram that sends a reply.", buckets=_SECONDS)
