"""``thumbs updates`` lists, shows, retries and drops updates that are pending or failed."""

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.open_database import open_database
from cli.options import MAX_ID, MIN_ID
from storage.db.states import UpdateState

if TYPE_CHECKING:
    from storage.chat.unfinished import UnfinishedUpdate

app = typer.Typer(help="List, show, retry or drop pending or failed updates.", no_args_is_help=True)

UpdateId = Annotated[
    int, typer.Argument(metavar="ID", help="An id listed by thumbs updates list.", min=MIN_ID, max=MAX_ID)
]
UpdateIds = Annotated[
    list[int], typer.Argument(metavar="ID...", help="Ids listed by thumbs updates list.", min=MIN_ID, max=MAX_ID)
]
BotId = Annotated[
    int | None,
    typer.Option("--bot", help="The bot's id, if several bots have an update with this id.", min=MIN_ID, max=MAX_ID),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command("list")
def list_updates(
    state: Annotated[
        list[UpdateState] | None, typer.Option(help="List only updates in this state; can be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the pending (received) and failed updates.

    An update fails after three attempts, and is kept for INBOX_RETENTION_DAYS. The updates' content is not shown.

    \b
    Examples:
      thumbs updates list
      thumbs updates list --state failed --json
    """
    from core.settings import read_settings
    from storage.chat import unfinished

    with open_database(read_settings()) as database, database.reading() as unit:
        updates = unfinished.list_unfinished(unit, state or unfinished.UNFINISHED)
    if as_json:
        _print_json([_to_json(update) for update in updates])
        return
    for update in updates:
        typer.echo(_line(update))
    failed = sum(update.state is UpdateState.FAILED for update in updates)
    typer.echo(f"{len(updates) - failed:,} received, {failed:,} failed.", err=True)


@app.command()
def show(update_id: UpdateId, bot: BotId = None, as_json: AsJson = False) -> None:
    """Show an update with its last error and its content. The content is the message that a person sent.

    \b
    Examples:
      thumbs updates show 731945006
      thumbs updates show 731945006 --json
    """
    from core.settings import read_settings
    from storage.chat import unfinished

    with open_database(read_settings()) as database, database.reading() as unit:
        update, content = unfinished.show(unit, update_id, bot)
    if as_json:
        _print_json({**_to_json(update), "reason": content.reason, "payload": content.payload})
        return
    typer.echo(_line(update))
    if content.reason is not None:
        typer.echo(content.reason)
    typer.echo(content.payload)


@app.command()
def retry(update_ids: UpdateIds, bot: BotId = None, as_json: AsJson = False) -> None:
    """Give failed updates three more attempts. A running bot retries them within half a minute.

    None of the updates are retried unless all of them can be.

    \b
    Examples:
      thumbs updates retry 731945006
      thumbs updates retry 731945006 731945011 --json
    """
    from core.settings import read_settings
    from storage.chat import unfinished

    with open_database(read_settings()) as database, database.unit_of_work() as unit:
        for update_id in update_ids:
            unfinished.retry(unit, update_id, bot)
    _report("retried", "The bot will try these updates again", update_ids, as_json)


@app.command()
def drop(update_ids: UpdateIds, bot: BotId = None, as_json: AsJson = False) -> None:
    """Give up on pending or failed updates.

    The content of dropped updates is deleted, and they count as handled.

    None of the updates are dropped unless all of them can be.

    \b
    Examples:
      thumbs updates drop 731945006
      thumbs updates drop 731945006 --bot 123456 --json
    """
    from core.settings import read_settings
    from storage.chat import unfinished

    with open_database(read_settings()) as database, database.unit_of_work() as unit:
        for update_id in update_ids:
            unfinished.drop(unit, update_id, bot)
    _report("dropped", "The bot will not handle these updates", update_ids, as_json)


def _report(change: str, sentence: str, update_ids: list[int], as_json: bool) -> None:
    if as_json:
        _print_json({change: update_ids})
    else:
        typer.echo(f"{sentence}: {', '.join(map(str, update_ids))}.", err=True)


def _line(update: "UnfinishedUpdate") -> str:
    line = (
        f"{update.update_id}  {update.state:<8}  {update.received_at:%Y-%m-%d %H:%M}  bot {update.bot_id}  "
        f"{update.attempts} failed attempts"
    )
    return line if update.error is None else f"{line}  {update.error}"


def _to_json(update: "UnfinishedUpdate") -> dict[str, object]:
    return {**dataclasses.asdict(update), "received_at": update.received_at.isoformat()}


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2))
