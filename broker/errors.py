"""The broker's errors. ``core.errors`` shows the whole tree."""

from core.errors import ThumbsError


class BrokerUnusable(ThumbsError):
    message = (
        "The broker at {address} is not responding: {reason}. Check BROKER_URL, and make sure that the server is "
        "running."
    )
