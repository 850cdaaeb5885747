"""The lesson's progress follows what the chats show, and survives a restart."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.errors import UnusableLesson, UnusablePlaygroundFile
from playground.state.lesson import Goal, Lesson, Step
from playground.state.lesson_progress import LessonProgress
from playground.state.message import Message
from playground.state.people import bot_user, find_person
from playground.text.entities import FormattedText
from playground.wire import ApiError

BEN, CLEO = 2, 3
LESSON = Lesson(
    title="Lesson",
    end="The end",
    steps=(
        Step(
            name="correct",
            title="",
            text="",
            person=BEN,
            samples=("One.", "Two."),
            goal=Goal.SEEN,
            pattern="Thanks.+Undo",
            count=2,
        ),
        Step(
            name="ask",
            title="",
            text="",
            person=CLEO,
            samples=("Three.", "Four."),
            goal=Goal.ANSWERED,
            pattern="yes|no",
            count=2,
        ),
        Step(
            name="compare",
            title="",
            text="",
            person=CLEO,
            samples=("Three.", "Four."),
            goal=Goal.CHANGED,
            pattern="yes|no",
        ),
    ),
)


def open_progress(folder: Path) -> LessonProgress:
    return LessonProgress(LESSON, folder / "progress.json")


def message(number: int, text: str, *, person: int = BEN, to: Message | None = None, button: str = "") -> Message:
    """Return one of the bot's messages, or the person's own message if the number is odd."""
    sender = bot_user("1:a") if number % 2 == 0 else find_person(person)
    keyboard = {"inline_keyboard": [[{"text": button}]]} if button else None
    return Message(number, {"id": person}, sender, 0, FormattedText(text), reply_to=to, reply_markup=keyboard)


def step(progress: LessonProgress, name: str) -> dict[str, Any]:
    return next(one for one in progress.to_json()["steps"] if one["name"] == name)


def answer(progress: LessonProgress, number: int, sample: str, text: str) -> None:
    """Let Cleo send a sample and the bot answer it."""
    asked = message(number, sample, person=CLEO)
    progress.observe(CLEO, asked)
    progress.observe(CLEO, message(number + 1, text, person=CLEO, to=asked))


def test_matching_messages_count_once_and_only_while_they_match(tmp_path: Path) -> None:
    progress = open_progress(tmp_path)
    thanked = message(2, "Thanks!", button="Undo")
    assert progress.observe(BEN, thanked)
    assert not progress.observe(BEN, thanked)
    assert not progress.observe(BEN, message(4, "Thanks!")), "the button is missing"
    assert not progress.observe(CLEO, replace(thanked, message_id=6)), "another person's chat"
    assert (step(progress, "correct")["counted"], progress.to_json()["current"]) == (1, "correct")
    assert progress.observe(BEN, replace(thanked, body=FormattedText("Undone")))
    assert step(progress, "correct")["counted"] == 0
    for number in (2, 8):
        progress.observe(BEN, replace(thanked, message_id=number))
    assert (step(progress, "correct")["done"], progress.to_json()["current"]) == (True, "ask")
    progress.observe(BEN, message(2, "Undone"))
    assert step(progress, "correct")["done"], "a step that is done stays done"


def test_a_persons_own_words_count_for_nothing(tmp_path: Path) -> None:
    progress = open_progress(tmp_path)
    assert not progress.observe(BEN, message(1, "Thanks! Undo"))
    assert not progress.observe(CLEO, message(3, "yes", person=CLEO, to=message(1, "Three.")))


def test_samples_are_marked_in_the_current_step_only(tmp_path: Path) -> None:
    progress = open_progress(tmp_path)
    progress.observe(BEN, message(1, "One."))
    progress.observe(CLEO, message(3, "Three.", person=CLEO))
    assert (step(progress, "correct")["sent"], step(progress, "ask")["sent"]) == (["One."], [])


def test_a_change_needs_two_different_answers_to_the_same_sample(tmp_path: Path) -> None:
    progress = open_progress(tmp_path)
    progress.skip("correct")
    answer(progress, 1, "Three.", "no")
    answer(progress, 3, "Three.", "no, again")
    assert (step(progress, "ask")["counted"], step(progress, "compare")["counted"]) == (1, 0)
    answer(progress, 5, "Four.", "yes")
    assert progress.to_json()["current"] == "compare"
    answer(progress, 7, "Other.", "no")
    assert not step(progress, "compare")["done"]
    answer(progress, 9, "Four.", "no")
    assert (step(progress, "compare")["done"], progress.to_json()["current"]) == (True, None)


def test_progress_survives_a_restart(tmp_path: Path) -> None:
    progress = open_progress(tmp_path)
    progress.observe(BEN, message(2, "Thanks!", button="Undo"))
    progress.observe(BEN, message(1, "One."))
    answer(progress, 3, "Three.", "no")
    progress.hide(True)
    again = open_progress(tmp_path)
    assert again.to_json() == progress.to_json()
    assert (again.to_json()["hidden"], step(again, "correct")["counted"]) == (True, 1)
    answer(again, 5, "Three.", "yes")
    assert step(again, "compare")["done"], "the earlier answer was remembered"
    again.hide(False)
    assert not open_progress(tmp_path).to_json()["hidden"]


def test_an_unknown_step_cannot_be_skipped(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="the lesson has no step 'dance'"):
        open_progress(tmp_path).skip("dance")


@pytest.mark.parametrize("content", ["{", '{"steps": 1}', '{"other": 1}'])
def test_a_broken_progress_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "progress.json").write_text(content, encoding="utf-8")
    with pytest.raises(UnusablePlaygroundFile, match=r"progress\.json"):
        open_progress(tmp_path)


def test_a_lesson_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "lesson.json"
    path.write_text(LESSON.model_dump_json(), encoding="utf-8")
    assert Lesson.read(path) == LESSON


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pattern": "("}, "steps.0.pattern: Value error, not a regular expression"),
        ({"count": 0}, "steps.0.count: Input should be greater than or equal to 1"),
        ({"goal": "guess"}, "steps.0.goal: "),
        ({"other": 1}, "steps.0.other: Extra inputs are not permitted"),
    ],
)
def test_a_bad_lesson_is_refused_in_one_sentence(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    lesson = json.loads(LESSON.model_dump_json())
    lesson["steps"][0] |= change
    path = tmp_path / "lesson.json"
    path.write_text(json.dumps(lesson), encoding="utf-8")
    with pytest.raises(UnusableLesson) as refused:
        Lesson.read(path)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_lesson_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableLesson, match="No such file"):
        Lesson.read(tmp_path / "absent.json")
