"""Measures how long the bot's work has taken since this process started."""

from typing import Final

from prometheus_client import Counter, Histogram

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

RECEIVED: Final = Counter("thumbs_updates_received", "Number of updates stored.")
HANDLING: Final = Histogram("thumbs_handling_seconds", "Time to handle an update, excluding sending.", buckets=_SECONDS)
CLASSIFYING: Final = Histogram(
    "thumbs_classifying_seconds", "Time to classify a text, including waiting.", buckets=_SECONDS
)
EXPLAINING: Final = Histogram(
    "thumbs_explaining_seconds", "Time to explain a verdict, including waiting.", buckets=_SECONDS
)
CALLING: Final = Histogram("thumbs_calling_seconds", "Time to send a reply to Telegram.", buckets=_SECONDS)
