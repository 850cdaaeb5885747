"""``thumbs models`` lists, exports and removes published models, and changes which one is live."""

import dataclasses
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.open_database import open_database

if TYPE_CHECKING:
    from core.settings import Settings
    from storage.db.database import Database
    from storage.models.serving_status import ModelStatus
    from storage.models.trials import Trial

app = typer.Typer(help="List, promote and remove published models.", no_args_is_help=True)

Version = Annotated[str, typer.Argument(help="A version listed by thumbs models list.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Why = Annotated[str | None, typer.Option(help="Reason to record in the history.")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the published models, newest first.

    The list shows which bot instances are using each model. A promoted model is "live" once all running bots are using
    it, "pending" until then, and "refused" if a bot could not load it. Other models are "kept", or "removed" if their
    files were removed.

    \b
    Examples:
      thumbs models list
      thumbs models list --json
    """
    from core.settings import read_settings
    from storage.models.serving_status import model_statuses
    from storage.models.trials import running_trial
    from storage.training.runs import run_numbers

    with open_database(read_settings()) as database, database.reading() as unit:
        statuses, trial, numbers = model_statuses(unit), running_trial(unit), run_numbers(unit)
    if as_json:
        typer.echo(_to_json([_status_facts(status, trial) for status in statuses]))
        return
    from bot.admin.system_status import trial_text

    for status in statuses:
        model = status.model
        origin = f"run {numbers[model.run_id]}" if model.run_id is not None else "from MODEL"
        line = f"{model.version}  {status.state:<8}  {model.created_at:%Y-%m-%d %H:%M}  {origin}"
        on_trial = [f"on trial: {trial_text(trial)}"] if trial and trial.version == model.version else []
        typer.echo("  ".join([line, *on_trial, *_bots(status)]))
    if not statuses:
        typer.echo("There are no models yet. The bot registers MODEL when it starts for the first time.", err=True)


@app.command("show")
def show(version: Version, as_json: AsJson = False) -> None:
    """Show a model's origin, its evaluation, and when it was live.

    \b
    Examples:
      thumbs models show 20261122-4be1e1ae
      thumbs models show 20261122-4be1e1ae --json
    """
    from core.settings import read_settings

    settings = read_settings()
    with open_database(settings) as database:
        facts = _model_facts(database, settings, version)
    if as_json:
        typer.echo(_to_json(facts))
        return
    for name in ("version", "state", "created_at", "run_id", "location", "manifest_sha256", "removed_at"):
        if facts[name] is not None:
            typer.echo(f"{name.replace('_', ' ')}: {_format_value(facts[name])}")
    if facts["served_by"]:
        typer.echo(f"served by: {', '.join(facts['served_by'])}")
    for refusal in facts["refusals"]:
        typer.echo(f"refused by {refusal['process']}: {refusal['reason']}")
    if facts["trial"]:
        typer.echo(f"on trial: in place of {facts['trial']['champion']}")
    if facts["decision"]:
        typer.echo(f"decision: {facts['decision']['sentence']}")
    if facts["tested"]:
        typer.echo(f"right on {facts['tested_right']:,} of {facts['tested']:,} test reviews (not used for decisions)")
    for part, figures in (facts["figures"] or {}).items():
        typer.echo(f"{part}: {_format_figures(figures)}")
    for change in facts["changes"]:
        if change["from_version"] == change["to_version"]:
            typer.echo(f"{change['at']:%Y-%m-%d %H:%M}: {change['to_version']} passed its trial. {change['reason']}")
            continue
        replaced = f" and replaced {change['from_version']}" if change["from_version"] else ""
        typer.echo(f"{change['at']:%Y-%m-%d %H:%M}: {change['to_version']} went live{replaced}. {change['reason']}")


@app.command("promote")
def promote(version: Version, why: Why = None) -> None:
    """Make a model live. Promoting a model on trial confirms it.

    Running bots load the model within seconds, and thumbs models list shows which bots are using it.

    \b
    Example:
      thumbs models promote 20261122-4be1e1ae --why "better on long reviews"
    """
    _make_live(version, "promote", why)


@app.command("rollback")
def rollback(
    version: Annotated[
        str | None, typer.Argument(help="The version to go back to. Default: the model before the live one.")
    ] = None,
    why: Why = None,
) -> None:
    """Make the previous or an older model live again.

    The previous model is the one that was live before the current one first went live. Rolled-back models are skipped
    until you promote them again, so repeating the command goes back further.

    \b
    Examples:
      thumbs models rollback
      thumbs models rollback 20261122-4be1e1ae --why "complaints about short reviews"
    """
    _make_live(version, "rollback", why)


@app.command("export")
def export(
    version: Version,
    out: Annotated[Path, typer.Option(help="Folder to write to. Any older model there is replaced.")],
) -> None:
    """Verify a model's files, and copy them to a folder.

    Hugging Face's from_pretrained can load the folder.

    \b
    Example:
      thumbs models export 20261122-4be1e1ae --out mine
    """
    from bot.serving.model_files import model_files
    from core.settings import read_settings
    from ml.serving.artifact import publish_artifact, verified_manifest
    from storage.errors import ModelRemoved
    from storage.models import registry

    settings = read_settings()
    with open_database(settings) as database, database.reading() as unit:
        model = registry.get_version(unit, version)
    if model.removed_at is not None:
        raise ModelRemoved(version=version)
    with model_files(settings, model) as folder:
        verified_manifest(folder)
        with publish_artifact(out) as work:
            for path in folder.iterdir():
                shutil.copyfile(path, work / path.name)
    typer.echo(f"Wrote version {version} to {out}.", err=True)


@app.command("remove")
def remove(version: Version) -> None:
    """Remove a model that is no longer needed.

    The model's files are removed from the artifact store, and the registry records the removal. The live model cannot
    be removed. A model folder outside the store is left alone.

    \b
    Example:
      thumbs models remove 20261122-4be1e1ae
    """
    from core.settings import read_settings
    from storage.errors import ModelLive
    from storage.models import registry
    from storage.models.artifact_store import ArtifactStore

    settings = read_settings()
    with open_database(settings) as database:
        with database.unit_of_work() as unit:
            model = registry.get_version(unit, version)
            if model.live:
                raise ModelLive(version=version)
            registry.mark_removed(unit, version)
        ArtifactStore.open(settings.store_address).remove(model.location)
    typer.echo(f"Model {version} is removed.", err=True)


def _make_live(version: str | None, command: str, why: str | None) -> None:
    from cli.errors import NoEarlierModel
    from core.settings import read_settings
    from storage.models import registry
    from storage.models.trials import running_trial

    with open_database(read_settings()) as database, database.unit_of_work() as unit:
        before, trial = registry.live_model(unit), running_trial(unit)
        if version is None:
            targets = registry.rollback_targets(unit)
            if not targets:
                raise NoEarlierModel
            version = targets[0].version
        registry.make_live(unit, version, _change_reason(command, why))
    if trial is not None and trial.version == version:
        typer.echo(f"The trial of model {version} is over, and it stays.", err=True)
    elif before is not None and before.version == version:
        typer.echo(f"Model {version} has already been promoted, so nothing has changed.", err=True)
    else:
        typer.echo(f"Model {version} has been promoted. thumbs models list shows which bots are using it.", err=True)


def _change_reason(command: str, why: str | None) -> str:
    """Return the reason to record in the history: the command, the user who ran it on this machine, and ``why``."""
    import os
    import pwd

    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user in a container may have no name
        user = str(os.getuid())
    done = f"user {user} ran thumbs models {command}"
    return done if why is None else f"{done}: {why}"


def _model_facts(database: "Database", settings: "Settings", version: str) -> dict[str, Any]:
    """Return everything known about a version. ``figures`` is None if the manifest can't be read."""
    from bot.serving.model_files import model_files
    from ml.errors import UnusableArtifact
    from ml.serving.artifact import Manifest
    from storage.errors import StorageError
    from storage.models import instances, registry
    from storage.models.serving_status import status_of
    from storage.models.trials import running_trial
    from storage.training import runs

    with database.reading() as unit:
        model = registry.get_version(unit, version)
        status, trial = status_of(model, instances.live_instances(unit)), running_trial(unit)
        run = None if model.run_id is None else runs.get_run(unit, model.run_id)
        changes = [change for change in registry.changes(unit) if version in (change.from_version, change.to_version)]
    figures = None
    if model.removed_at is None:
        try:
            with model_files(settings, model) as folder:
                figures = Manifest.read(folder).figures
        except (StorageError, UnusableArtifact) as error:
            typer.echo(str(error), err=True)
    return {
        **_status_facts(status, trial),
        "decision": run.decision if run else None,
        "figures": figures,
        "changes": [{**dataclasses.asdict(change), "reason": change.reason} for change in changes],
    }


def _status_facts(status: "ModelStatus", trial: "Trial | None") -> dict[str, Any]:
    """Return the version's fields, state, trial and bots. ``live`` is true if all running bots serve the version."""
    return {
        **dataclasses.asdict(status.model),
        "live": status.state == "live",
        "state": str(status.state),
        "trial": dataclasses.asdict(trial) if trial and trial.version == status.model.version else None,
        "served_by": [bot.process for bot in status.serving],
        "refusals": [{"process": bot.process, "reason": bot.refusal} for bot in status.refusing],
    }


def _bots(status: "ModelStatus") -> list[str]:
    """Return lines that name the bots serving the version and those that refused it, with their reasons."""
    served_by = ", ".join(bot.process for bot in status.serving)
    refusals = [f"refused by {bot.process}: {bot.refusal}" for bot in status.refusing]
    return [*([f"served by {served_by}"] if served_by else []), *refusals]


def _to_json(value: object) -> str:
    return json.dumps(value, default=lambda moment: moment.isoformat(), indent=2)


def _format_figures(figures: dict[str, Any]) -> str:
    """Return figures as words, such as "reviews 1,225, log loss 0.1842"."""
    values = ((name.replace("_", " "), value) for name, value in figures.items())
    return ", ".join(f"{name} {f'{value:,.4g}' if isinstance(value, float) else value}" for name, value in values)


def _format_value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)
