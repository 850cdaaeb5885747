"""The broker's errors. ``core.errors`` shows the whole tree."""

from core.errors import ThumbsError


class BrokerUnusable(ThumbsError):
    message = "The broker at {address} does not answer: {reason}. Check BROKER_URL and whether its server is running."
