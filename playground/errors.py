"""Errors raised by the playground. ``core.errors`` shows the whole tree."""

from core.errors import BadInput, ThumbsError


class UnusablePlaygroundFile(BadInput):
    message = "The playground cannot read {path}: {reason}. Delete it to start over with an empty file."


class UnusableLesson(BadInput):
    message = "The lesson {path} cannot be used: {reason}."


class PlaygroundRefused(ThumbsError):
    message = "The playground refused the request to {path}: {reason}"
