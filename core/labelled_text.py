"""A text and its label, which storage passes to the worker, and the worker to the trainer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and the name of the label that people agreed on."""

    text: str
    label: str
