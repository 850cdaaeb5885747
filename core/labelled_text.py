"""A text and its label, passed from storage to the worker and from the worker to the trainer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A message's id in the database, its text, and the label that people agreed on.

    Texts that one person wrote within a minute share a ``group``, because a model trained on one of them has an
    advantage with the others.
    """

    message_id: int
    text: str
    label: str
    group: str
