"""``thumbs corrections``: bring judgements in and out, and answer for whom models saw."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.open_database import open_database

if TYPE_CHECKING:
    pass

app = typer.Typer(help="Import and export judgements, and list the models that saw a person's.", no_args_is_help=True)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file with the columns text, label and person; .gz is opened.")],
    as_admin: Annotated[
        bool, typer.Option("--as-admin", help="Take the file's word as the first admin's: it is final.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
) -> None:
    """Import judged texts, all of them or none: who says that which text is positive, negative or neither.

    The live model reads each new text. A text belongs to the first person who is named with it. Importing a person's
    texts says that this person consents to their training a model, and is written down as that.

    \b
    Examples:
      thumbs corrections import judged.csv
      thumbs corrections import vetted.csv.gz --as-admin
    """
    from cli.corrections.importer import import_corrections
    from cli.corrections.reader import read_votes
    from cli.errors import NoAdmins
    from cli.progress import progress_bar
    from core.settings import read_settings

    settings = read_settings()
    if as_admin and not settings.admin_ids:
        raise NoAdmins
    with progress_bar() as bar:
        reading = bar.add_task("Reading", total=None)
        said = read_votes(file, as_admin, lambda rows: bar.update(reading, completed=rows))
        bar.update(reading, total=len(said), completed=len(said))
        predicting = bar.add_task("Predicting", total=None)
        with open_database(settings) as database:
            imported = import_corrections(
                database,
                settings,
                said,
                admin=settings.admin_ids[0] if as_admin else None,
                on_progress=lambda done, texts: bar.update(predicting, completed=done, total=texts),
            )
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(imported)))
    else:
        typer.echo(
            f"Imported {imported.votes:,} judgements by {imported.people:,} people; "
            f"{imported.texts:,} of their texts were new.",
            err=True,
        )


@app.command("export")
def export_file(
    out: Annotated[Path, typer.Option(help="File to write: .csv, .jsonl or .parquet; the first two also as .gz.")],
    usable: Annotated[
        bool, typer.Option("--usable", help="Only texts that count, each once, under the label agreed on.")
    ] = False,
) -> None:
    """Write judgements to a file, each with its state: usable, waiting, quarantined, or settled as neither.

    What a person has not consented to is left out. People are numbers. In CSV, an apostrophe stands before a text that
    a spreadsheet would take for a formula; the import takes it away again. Parquet is written in the training
    environment.

    \b
    Examples:
      thumbs corrections export --out judged.csv
      thumbs corrections export --out corrections.csv --usable
    """
    from importlib.util import find_spec

    from cli.corrections.export import WRITERS, file_suffix, vote_rows, write_rows
    from cli.errors import MissingPackage
    from core.settings import read_settings

    kind = file_suffix(out)
    if kind not in WRITERS:
        raise typer.BadParameter(f"The file's name has to end with one of {', '.join(WRITERS)}.", param_hint="--out")
    if kind == ".parquet" and find_spec("pyarrow") is None:
        raise MissingPackage(what="A parquet file", package="pyarrow")
    settings = read_settings()
    admins = frozenset(settings.admin_ids)
    with open_database(settings) as database, database.reading() as unit:
        written = write_rows(out, vote_rows(unit, settings.feedback_quorum, admins, usable))
    typer.echo(f"Wrote {written:,} rows to {out}.", err=True)


@app.command("seen-by")
def seen_by(
    telegram_id: Annotated[int, typer.Argument(help="The person's numeric Telegram id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one JSON list.")] = False,
) -> None:
    """List the model versions that learnt from, or were measured on, a person's texts or judgements.

    Withdrawn consent keeps them out of every later run; these versions saw them before.

    \b
    Example:
      thumbs corrections seen-by 123456789
    """
    from cli.errors import UnknownPerson
    from core.settings import read_settings
    from storage.chat.people import find_person
    from storage.training.snapshots import versions_that_saw

    with open_database(read_settings()) as database, database.reading() as unit:
        person_id = find_person(unit, telegram_id)
        if person_id is None:
            raise UnknownPerson(telegram_id=telegram_id)
        versions = versions_that_saw(unit, person_id)
    if as_json:
        typer.echo(json.dumps(versions))
    elif versions:
        typer.echo("\n".join(versions))
    else:
        typer.echo("No model saw anything of theirs.", err=True)


@app.command("labellers")
def labellers(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one JSON list.")] = False,
) -> None:
    """Say how often people seem to name the true label, the worst first; it informs and leaves nobody out.

    Told from texts that several people judged, by the model of Dawid and Skene, once there is enough of them.

    \b
    Example:
      thumbs corrections labellers
    """
    from importlib.util import find_spec

    from cli.errors import MissingPackage
    from core.settings import read_settings
    from ml.evaluation.labeller_quality import MIN_LABELLERS, MIN_VOTES, labeller_qualities
    from storage.feedback.eligibility import shared_votes

    if find_spec("crowdkit") is None:
        raise MissingPackage(what="Telling labellers apart", package="crowd-kit")
    settings = read_settings()
    with open_database(settings) as database, database.reading() as unit:
        votes = shared_votes(unit, frozenset(settings.admin_ids))
    qualities = labeller_qualities(votes)
    if as_json:
        rows = [{"person_id": found.person_id, "votes": found.votes, "right": found.accuracy} for found in qualities]
        typer.echo(json.dumps(rows))
    elif qualities:
        for quality in qualities:
            typer.echo(f"person {quality.person_id}: right on {quality.accuracy:.0%} by {quality.votes:,} shared votes")
    else:
        enough = f"{MIN_LABELLERS} people with {MIN_VOTES} votes each on texts that others judged too"
        typer.echo(f"There is not enough to tell yet: it takes {enough}.", err=True)


@app.command("gold")
def gold(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one JSON list.")] = False,
) -> None:
    """Say how people answered the gold questions of /label, whose label is known, the worst first; it informs only.

    \b
    Example:
      thumbs corrections gold
    """
    from core.settings import read_settings
    from storage.feedback.label_offers import gold_scores

    with open_database(read_settings()) as database, database.reading() as unit:
        scores = sorted(gold_scores(unit), key=lambda score: score.right / score.answered)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(score) for score in scores]))
    elif scores:
        for score in scores:
            typer.echo(f"person {score.person_id}: {score.right:,} of {score.answered:,} gold questions right")
    else:
        typer.echo("Nobody has answered a gold question yet.", err=True)
