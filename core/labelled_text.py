"""A text and its label, passed from storage to the worker and from the worker to the trainer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelledText:
    """The text of a message, with the message's id in the database, and the label that people agreed on.

    Texts that one person wrote within a minute have the same ``group``: a model that trained on one of them has an
    advantage on the others.
    """

    message_id: int
    text: str
    label: str
    group: str
