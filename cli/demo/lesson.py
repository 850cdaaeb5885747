"""The demo's first lesson: corrections, the admin's confirmation, a training round, and verdicts that change.

The playground's page shows the lesson. It knows only these steps and what the chats show.
"""

import re
from pathlib import Path
from typing import Final

from bot.texts import FALLBACK, fill, texts_for
from ml.text.labels import LABELS
from playground.state.lesson import Goal, Lesson, Step

LESSON_FILE: Final = "lesson.json"
ADA, BEN, CLEO = 1, 2, 3
# Praise that the starter takes for criticism. Ben's and Cleo's reviews use the same slang.
CORRECTED: Final = (
    "This album slaps so hard.",
    "That bass line slaps, no question.",
    "The rapper killed it on every verse.",
    "This burger is stupid good.",
    "This game ruined every other game for me.",
)
ASKED: Final = (
    "The new single slaps.",
    "Their second record slaps from start to finish.",
    "She absolutely killed the last verse.",
    "The fries here are criminally good.",
    "This pizza ruined all other pizza for me.",
)
# Ben's reviews and one check question, which `/label` asks fourth.
_LABELLED: Final = len(CORRECTED) + 1
_TEXTS: Final = texts_for(FALLBACK)


def write_lesson(data_dir: Path) -> Path:
    """Write the lesson to a file in ``data_dir``, and return the file's path."""
    path = data_dir / LESSON_FILE
    path.write_text(first_lesson().model_dump_json(indent=2), encoding="utf-8")
    return path


def first_lesson() -> Lesson:
    """Return the lesson, whose patterns match the bot's texts and buttons."""
    verdict = "|".join(LABELS)
    return Lesson(
        title="Your first lesson",
        steps=(
            Step(
                name="correct",
                title="correct five reviews",
                text=f"Ben means all of these as praise, but the slang is new to the bot. Send each of them, and tap "
                f"{_TEXTS.button_wrong} below the verdict.",
                person=BEN,
                samples=CORRECTED,
                goal=Goal.SEEN,
                pattern=_pattern(_TEXTS.voted_wrong),
                count=len(CORRECTED),
                unit="corrections to your first lesson",
            ),
            Step(
                name="consent",
                title="let the bot learn",
                text="After the first vote, the bot asked Ben whether it may learn from his reviews. Scroll up to that "
                f"question, and tap {_TEXTS.button_consent_yes}.",
                person=BEN,
                goal=Goal.SEEN,
                pattern=_pattern(_TEXTS.consent_granted),
            ),
            Step(
                name="confirm",
                title="confirm them as the admin",
                text="One person's word isn't enough, so Ada reads Ben's reviews. Send the command, let the bot learn "
                "from her votes too, and label the reviews. One of them is a check with a known answer.",
                person=ADA,
                samples=(f"/label {_LABELLED}",),
                goal=Goal.SEEN,
                pattern=f"{_pattern(_TEXTS.label_noted)}.+({_batch_done()}|{_pattern(_TEXTS.label_none)})",
            ),
            Step(
                name="before",
                title="ask about similar reviews",
                text="Cleo writes like Ben, and nobody has corrected her reviews. See what the bot says about them "
                "before it has learned.",
                person=CLEO,
                samples=ASKED,
                goal=Goal.ANSWERED,
                pattern=verdict,
                count=len(ASKED),
                unit="reviews answered",
            ),
            Step(
                name="retrain",
                title="train a new model",
                text="Send the command and wait for the result. It takes a few minutes, and more if the demo is still "
                "installing the packages for training. Five reviews can't prove that the new model is better, so the "
                f"bot asks you: tap {_TEXTS.button_try}, then {_TEXTS.button_try_yes}.",
                person=ADA,
                samples=("/retrain",),
                goal=Goal.SEEN,
                pattern=_pattern(_TEXTS.model_answers),
            ),
            Step(
                name="after",
                title="see what has changed",
                text="Send Cleo's reviews again, and compare the verdicts.",
                person=CLEO,
                samples=ASKED,
                goal=Goal.CHANGED,
                pattern=verdict,
                unit="changed verdicts",
            ),
        ),
        end="The bot learned from five corrections. New votes now decide whether the model stays; /models shows it and "
        "can bring the old one back. Send any review you like.",
    )


def _batch_done() -> str:
    return re.escape(fill(_TEXTS.label_batch_done, size=_LABELLED))


def _pattern(template: str) -> str:
    """Return a regular expression for one of the bot's texts as the chat shows it: without tags, with any values."""
    return ".+?".join(re.escape(part) for part in re.split(r"\{\w+\}", re.sub(r"</?\w+>", "", template)))
