"""``thumbs status``: shows what the bots and workers are doing, according to the database."""

import dataclasses
import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.open_database import open_database
from cli.run_text import progress_text, trial_text

if TYPE_CHECKING:
    from storage.overview import ChatOverview, LearningOverview

AsJson = Annotated[bool, typer.Option("--json", help="Print the status as one JSON object.")]


def status(as_json: AsJson = False) -> None:
    """Show pending and failed work, and each bot's model.

    \b
    Examples:
      thumbs status
      thumbs status --json
    """
    from core.settings import read_settings
    from storage.overview import chat_overview, learning_overview

    with open_database(read_settings()) as database, database.reading() as unit:
        chat, learning, now = chat_overview(unit), learning_overview(unit), unit.now()
    if as_json:
        typer.echo(json.dumps({**dataclasses.asdict(chat), **dataclasses.asdict(learning)}, default=str))
        return
    for line in (*_chat_lines(chat, now), *_learning_lines(learning, now)):
        typer.echo(line)


def _chat_lines(chat: "ChatOverview", now: datetime) -> list[str]:
    from storage.db.states import ReplyState, UpdateState

    updates, replies = chat.updates, chat.replies
    waiting = updates[UpdateState.RECEIVED]
    unsent = replies[ReplyState.PENDING] + replies[ReplyState.SENDING]
    return [
        f"Updates   {waiting} pending{_age(chat.oldest_pending_update, now)}, {updates[UpdateState.FAILED]} failed, "
        f"{updates[UpdateState.HANDLED]} handled",
        f"Replies   {unsent} pending{_age(chat.oldest_pending_reply, now)}, {replies[ReplyState.FAILED]} failed, "
        f"{replies[ReplyState.UNCERTAIN]} uncertain, {replies[ReplyState.SENT]} sent",
    ]


def _learning_lines(learning: "LearningOverview", now: datetime) -> list[str]:
    votes = ", ".join(f"{count} {vote.value}" for vote, count in learning.votes.items())
    ended = ", ".join(f"{count} {state.value}" for state, count in learning.runs.items() if count) or "none"
    lines = [f"Votes     {votes}", f"Runs      {ended}"]
    if learning.open_run is not None:
        held = learning.lease_until is not None and learning.lease_until > now
        lines.append(f"Open run  {progress_text(learning.open_run)}" + ("" if held else " No worker has it."))
    lines.append(f"Model     {learning.live_version or 'none has gone live'}")
    if learning.trial is not None:
        lines.append(f"Trial     {trial_text(learning.trial)}")
    for bot in learning.bots:
        refusal = f"; refused {bot.refused_version}: {bot.refusal}" if bot.refused_version else ""
        lines.append(f"Bot       {bot.process} serves {bot.version}{refusal}")
    if not learning.bots:
        lines.append("Bot       none is running")
    return lines


def _age(oldest: datetime | None, now: datetime) -> str:
    return "" if oldest is None else f" (oldest for {max((now - oldest).total_seconds(), 0):.0f} s)"
