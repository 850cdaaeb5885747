"""How far the people have come in the lesson, according to what the chats show."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from playground.errors import UnusablePlaygroundFile
from playground.state.json_file import read_object, write_object
from playground.state.lesson import Goal, Lesson, Step
from playground.state.message import Message
from playground.wire import JsonObject, bad_request


class StepProgress(BaseModel):
    """What has happened in one step.

    ``messages`` are the ids of the messages that match, ``answers`` are the matches in the answers to each sample by
    message id, and ``sent`` are the samples that were sent since the step began.
    """

    model_config = ConfigDict(extra="forbid")

    messages: set[int] = set()
    answers: dict[str, dict[int, str]] = {}
    sent: set[str] = set()
    done: bool = False


class SavedProgress(BaseModel):
    """What survives a restart: the progress of each step by name, and whether the lesson is hidden."""

    model_config = ConfigDict(extra="forbid")

    steps: dict[str, StepProgress] = {}
    hidden: bool = False


class LessonProgress:
    """The progress in a lesson, stored in a JSON file."""

    def __init__(self, lesson: Lesson, path: Path) -> None:
        self._lesson = lesson
        self._path = path
        try:
            saved = SavedProgress.model_validate(read_object(path))
        except ValidationError as error:
            raise UnusablePlaygroundFile(path=path, reason=error.errors()[0]["msg"]) from error
        steps = {step.name: saved.steps.get(step.name, StepProgress()) for step in lesson.steps}
        self._saved = SavedProgress(steps=steps, hidden=saved.hidden)

    def observe(self, chat_id: int, message: Message) -> bool:
        """Take note of a new or edited message, and return whether it changed the progress."""
        current = self._current()
        before = self._saved.model_copy(deep=True)
        for step in self._lesson.steps:
            progress = self._progress(step)
            if step.person != chat_id or progress.done:
                continue
            if message.sender.is_bot:
                _observe_bot(step, progress, message)
                progress.done = _count(step, progress) >= step.count
            elif step is current and message.body.text in step.samples:
                progress.sent.add(message.body.text)
        return self._save_if_changed(before)

    def skip(self, name: str) -> None:
        """End a step that may be unfinished, or raise ApiError if there is no such step."""
        step = next((step for step in self._lesson.steps if step.name == name), None)
        if step is None:
            raise bad_request(f"the lesson has no step {name!r}")
        self._progress(step).done = True
        self._save()

    def hide(self, hidden: bool) -> None:
        """Hide the lesson, or show it again."""
        self._saved.hidden = hidden
        self._save()

    def to_json(self) -> JsonObject:
        """Return the lesson as the page shows it. ``current`` is None at the end."""
        current = self._current()
        return {
            "title": self._lesson.title,
            "end": self._lesson.end,
            "hidden": self._saved.hidden,
            "current": None if current is None else current.name,
            "steps": [self._step_to_json(step) for step in self._lesson.steps],
        }

    def _step_to_json(self, step: Step) -> JsonObject:
        progress = self._progress(step)
        shown = step.model_dump(mode="json", include={"name", "title", "text", "person", "samples", "count", "unit"})
        done = min(_count(step, progress), step.count)
        return {**shown, "counted": done, "sent": sorted(progress.sent), "done": progress.done}

    def _current(self) -> Step | None:
        return next((step for step in self._lesson.steps if not self._progress(step).done), None)

    def _progress(self, step: Step) -> StepProgress:
        return self._saved.steps[step.name]

    def _save_if_changed(self, before: SavedProgress) -> bool:
        if before == self._saved:
            return False
        self._save()
        return True

    def _save(self) -> None:
        write_object(self._path, self._saved.model_dump(mode="json"))


def _observe_bot(step: Step, progress: StepProgress, message: Message) -> None:
    """Take note of what one of the bot's messages shows now. A message counts once, and only while it matches."""
    buttons = [button["text"] for row in message.to_json()["buttons"] for button in row]
    found = step.match("\n".join([message.body.text, *buttons]))
    if step.goal is Goal.SEEN:
        progress.messages.discard(message.message_id)
        if found is not None:
            progress.messages.add(message.message_id)
    elif message.reply_to is not None and message.reply_to.body.text in step.samples and found is not None:
        progress.answers.setdefault(message.reply_to.body.text, {})[message.message_id] = found


def _count(step: Step, progress: StepProgress) -> int:
    match step.goal:
        case Goal.SEEN:
            return len(progress.messages)
        case Goal.ANSWERED:
            return len(progress.answers)
        case Goal.CHANGED:
            return sum(len(set(answers.values())) > 1 for answers in progress.answers.values())
