"""What can go wrong with the playground. ``core.errors`` draws the tree."""

from core.errors import BadInput, ThumbsError


class UnusablePlaygroundFile(BadInput):
    message = "The playground's file {path} cannot be used: {reason}. Remove it to start over without what it kept."


class PlaygroundRefused(ThumbsError):
    message = "The playground refused {path}: {reason}"
