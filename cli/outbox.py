"""``thumbs outbox`` lists, retries and drops replies that did not arrive or may not have arrived."""

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.open_database import open_database
from cli.options import MAX_ID, MIN_ID
from storage.db.states import ReplyState

if TYPE_CHECKING:
    from storage.chat.undelivered import UndeliveredReply

app = typer.Typer(help="List, retry or drop replies that may not have arrived.", no_args_is_help=True)

ReplyIds = Annotated[
    list[int], typer.Argument(metavar="ID...", help="Ids listed by thumbs outbox list.", min=MIN_ID, max=MAX_ID)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
_DROPPED: Final = "dropped with thumbs outbox drop"


@app.command("list")
def list_replies(
    state: Annotated[
        list[ReplyState] | None, typer.Option(help="List only replies in this state; can be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the replies that were not sent, oldest first.

    The command also prints the number of replies in each state.

    Uncertain replies may or may not have arrived. UNCERTAIN_REPLIES determines whether the bot sends them again. The
    replies' texts are not shown.

    \b
    Examples:
      thumbs outbox list
      thumbs outbox list --state uncertain --json
    """
    from core.settings import read_settings
    from storage.chat import undelivered
    from storage.overview import chat_overview

    with open_database(read_settings()) as database, database.reading() as unit:
        replies = undelivered.list_undelivered(unit, state or undelivered.UNDELIVERED)
        counts = dict(chat_overview(unit).replies)
    if as_json:
        _print_json({"counts": counts, "replies": [_to_json(reply) for reply in replies]})
        return
    for reply in replies:
        typer.echo(_line(reply))
    shown = ", ".join(f"{counts[state]:,} {state}" for state in undelivered.UNDELIVERED)
    typer.echo(f"{shown}.", err=True)


@app.command()
def retry(reply_ids: ReplyIds, as_json: AsJson = False) -> None:
    """Send uncertain or failed replies again. A running bot resends them within seconds.

    An uncertain reply may arrive twice. None of the replies are retried unless all of them can be.

    \b
    Examples:
      thumbs outbox retry 17
      thumbs outbox retry 17 23 --json
    """
    from core.settings import read_settings
    from storage.chat import undelivered

    with open_database(read_settings()) as database, database.unit_of_work() as unit:
        for reply_id in reply_ids:
            undelivered.retry(unit, reply_id)
    _report("retried", "The bot will send these replies again", reply_ids, as_json)


@app.command()
def drop(reply_ids: ReplyIds, as_json: AsJson = False) -> None:
    """Give up on pending or uncertain replies.

    The replies are marked as failed, so the bot does not send them.

    None of the replies are dropped unless all of them can be.

    \b
    Examples:
      thumbs outbox drop 17
      thumbs outbox drop 17 23 --json
    """
    from core.settings import read_settings
    from storage.chat import undelivered

    with open_database(read_settings()) as database, database.unit_of_work() as unit:
        for reply_id in reply_ids:
            undelivered.drop(unit, reply_id, _DROPPED)
    _report("dropped", "The bot will not send these replies", reply_ids, as_json)


def _report(change: str, sentence: str, reply_ids: list[int], as_json: bool) -> None:
    if as_json:
        _print_json({change: reply_ids})
    else:
        typer.echo(f"{sentence}: {', '.join(map(str, reply_ids))}.", err=True)


def _line(reply: "UndeliveredReply") -> str:
    kind = "new message" if reply.edits is None else f"edit of message {reply.edits}"
    line = f"{reply.id}  {reply.state:<9}  {reply.changed_at:%Y-%m-%d %H:%M}  chat {reply.chat_id}  {kind}"
    return line if reply.reason is None else f"{line}  {reply.reason}"


def _to_json(reply: "UndeliveredReply") -> dict[str, object]:
    return {**dataclasses.asdict(reply), "changed_at": reply.changed_at.isoformat()}


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2))
