"""Errors raised by the playground. ``core.errors`` shows the whole tree."""

from core.errors import BadInput, ThumbsError


class UnusablePlaygroundFile(BadInput):
    message = "The playground cannot read its file {path}: {reason}. Delete it to start over with empty contents."


class PlaygroundRefused(ThumbsError):
    message = "The playground refused the request {path}: {reason}"
