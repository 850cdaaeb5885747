"""The demo's lesson waits for texts and buttons that the bot really shows."""

import re
from pathlib import Path

import pytest

from bot.texts import FALLBACK, fill, texts_for
from cli.demo.lesson import ASKED, CORRECTED, first_lesson, write_lesson
from playground.state.lesson import Lesson

TEXTS = texts_for(FALLBACK)
STEPS = {step.name: step for step in first_lesson().steps}


def shown(text: str) -> str:
    """Return a text of the bot as a chat shows it."""
    return re.sub(r"</?\w+>", "", text)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("correct", TEXTS.voted_wrong),
        ("consent", TEXTS.consent_granted),
        ("confirm", f"{fill(TEXTS.label_noted, label='👍', today=6)}\n\n{fill(TEXTS.label_batch_done, size=6)}"),
        ("confirm", f"{fill(TEXTS.label_noted, label='👍', today=4)}\n\n{TEXTS.label_none}"),
        ("before", fill(TEXTS.verdict_sure, thumb="👎", label="Negative", confidence=" · 99%")),
        ("retrain", fill(TEXTS.model_answers, version="run-1", serving=1, running=1)),
    ],
)
def test_a_step_recognises_what_the_bot_says(step: str, text: str) -> None:
    assert STEPS[step].match(shown(text)) is not None


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("correct", TEXTS.voted_right),
        ("consent", TEXTS.consent_question),
        ("confirm", f"{fill(TEXTS.label_noted_in_batch, label='👍', today=5, done=5, size=6)}\n\nIs this"),
        ("confirm", TEXTS.label_none),
        ("before", TEXTS.not_a_review),
        ("retrain", TEXTS.run_queued),
        ("retrain", fill(TEXTS.trial_started, version="run-1", champion="starter")),
    ],
)
def test_a_step_does_not_take_other_texts_for_success(step: str, text: str) -> None:
    assert STEPS[step].match(shown(text)) is None


def test_the_samples_differ() -> None:
    assert len({*CORRECTED, *ASKED}) == len(CORRECTED) + len(ASKED) == 10


def test_the_playground_can_read_the_lesson(tmp_path: Path) -> None:
    assert Lesson.read(write_lesson(tmp_path)) == first_lesson()
