"""A text and its label, on its way from storage through the worker to the trainer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and the label that people agreed on, by its name."""

    text: str
    label: str
