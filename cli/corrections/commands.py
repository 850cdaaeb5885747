"""``thumbs corrections`` imports and exports votes, and reports on labellers."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from cli.open_database import open_database
from cli.options import MAX_ID, MIN_ID

app = typer.Typer(help="Import and export votes, and report on labellers.", no_args_is_help=True)


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="CSV, JSON lines or parquet file with the columns text, label and person.")
    ],
    as_admin: Annotated[
        bool, typer.Option("--as-admin", help="Record all labels as final votes by the first admin.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
) -> None:
    """Import labelled texts from a file.

    Each row contains a text, a person, and that person's label: positive, negative or neither. Either all rows are
    imported or none are. The live model classifies each new text. The first person listed with a text is its author.
    Names that differ only in case or spacing count as one person. Texts that differ only in case, punctuation or
    spacing count as one text. An exported file can be imported again, with the same votes by the same people. By
    importing a person's texts, you confirm that the person consents to training on them. This consent is recorded,
    except for people that the bot knows from Telegram. Those people's consent depends only on their own answer in the
    chat.

    \b
    Examples:
      thumbs corrections import labelled.csv
      thumbs corrections import checked.csv.gz --as-admin
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
        votes = read_votes(file, as_admin, lambda rows: bar.update(reading, completed=rows))
        bar.update(reading, total=len(votes), completed=len(votes))
        predicting = bar.add_task("Predicting", total=None)
        with open_database(settings) as database:
            imported = import_corrections(
                database,
                settings,
                votes,
                admin=settings.admin_ids[0] if as_admin else None,
                on_progress=lambda done, texts: bar.update(predicting, completed=done, total=texts),
            )
    if as_json:
        counts = {"texts": imported.texts, "judgements": imported.votes, "people": imported.people}
        typer.echo(json.dumps(counts))
    else:
        typer.echo(
            f"Imported votes: {imported.votes:,}. People: {imported.people:,}. New texts: {imported.texts:,}.",
            err=True,
        )


@app.command("export")
def export_file(
    out: Annotated[
        Path, typer.Option(help="File to write: .csv, .jsonl or .parquet; the first two may also end in .gz.")
    ],
    usable: Annotated[
        bool, typer.Option("--usable", help="Write only eligible texts, once each, with the agreed label.")
    ] = False,
) -> None:
    """Write all votes to a file.

    The file gives the state of each vote's text: usable, waiting, quarantined or settled as neither. The last column is
    the reason that the person gave, if any: both, not_review, sarcasm or other. Data from people who don't consent is
    left out. People appear as numbers with a code that an import recognises. In CSV files, texts that a spreadsheet
    would treat as formulas get a leading apostrophe, which an import removes. Parquet files need the training
    environment.

    \b
    Examples:
      thumbs corrections export --out votes.csv
      thumbs corrections export --out corrections.csv --usable
    """
    from importlib.util import find_spec

    from bot.sending.votes_table import vote_rows
    from cli.corrections.export import WRITERS, file_suffix, write_rows
    from cli.errors import MissingPackage
    from core.settings import read_settings

    kind = file_suffix(out)
    if kind not in WRITERS:
        raise typer.BadParameter(f"The file name must end in one of {', '.join(WRITERS)}.", param_hint="--out")
    if kind == ".parquet" and find_spec("pyarrow") is None:
        raise MissingPackage(what="A parquet file", package="pyarrow")
    settings = read_settings()
    admins = frozenset(settings.admin_ids)
    with open_database(settings) as database, database.reading() as unit:
        written = write_rows(out, vote_rows(unit, settings.feedback_quorum, admins, usable))
    typer.echo(f"Rows written to {out}: {written:,}.", err=True)


@app.command("seen-by")
def seen_by(
    telegram_id: Annotated[int, typer.Argument(help="The person's numeric Telegram id.", min=MIN_ID, max=MAX_ID)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as one JSON list.")] = False,
) -> None:
    """List the models that used a person's texts or votes.

    The listed models were trained or evaluated on that data. Once people withdraw their consent, later runs don't use
    their data, but versions that already did are still listed.

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
        typer.echo(
            "No model used the data that this person has in the database. There is no record of deleted data.",
            err=True,
        )


@app.command("labellers")
def labellers(
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as one JSON list.")] = False,
) -> None:
    """Estimate how often each labeller is right, worst first.

    Labellers with a low estimate are not excluded. The estimate applies the Dawid-Skene model to texts that
    several people labelled, once there are enough texts.

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
        raise MissingPackage(what="Estimating the quality of labellers", package="crowd-kit")
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
        enough = f"{MIN_LABELLERS} people, each with {MIN_VOTES} votes on texts that others labelled too"
        typer.echo(f"There are not enough votes yet for an estimate. It needs {enough}.", err=True)


@app.command("gold")
def gold(
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as one JSON list.")] = False,
) -> None:
    """Show how well people answered the gold questions, worst first.

    Gold questions are texts with known labels that /label mixes in.

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
