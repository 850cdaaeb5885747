"""A text and its label, passed from storage to the worker and from the worker to the trainer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and the label that people agreed on."""

    text: str
    label: str
