"""What can go wrong with the playground. ``core.errors`` draws the tree."""

from core.errors import BadInput, ThumbsError


class UnusablePlaygroundFile(BadInput):
    message = "The playground cannot read its file {path}: {reason}. Delete it to start over without its contents."


class PlaygroundRefused(ThumbsError):
    message = "The playground refused the request {path}: {reason}"
