"""``thumbs models`` as a user runs it."""

import json
import os
import pwd
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.errors import NoEarlierModel
from cli.main import app
from ml.errors import UnusableArtifact
from ml.serving.artifact import MANIFEST, Manifest, file_hashes, manifest_hash, verified_manifest
from storage.db.database import Database
from storage.errors import ModelLive, ModelRemoved, UnknownModelVersion
from storage.models import instances, registry

Run = Callable[..., Result]
PLAIN = Manifest("", "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {"dev": {"accuracy": 0.9}}, [], {})


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Create the store with two models. The models' weights are never loaded."""
    for name in ("one", "two"):
        folder = tmp_path / "var" / "models" / name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(name.encode())
        replace(PLAIN, version=name, files=file_hashes(folder)).write(folder)
    return tmp_path / "var" / "models"


@pytest.fixture
def run(database: Database, models: Path, database_url: str, keys: tuple[str, ...], tmp_path: Path) -> Run:
    """Register both models, and return a function that runs a command and raises any ThumbsError."""
    with database.unit_of_work() as unit:
        for folder in sorted(models.iterdir()):
            registry.register(unit, folder.name, manifest_hash(folder), folder.name)
        registry.make_live(unit, "one", "a test begins")

    def invoke(*arguments: str) -> Result:
        env = {"DATABASE_URL": database_url, "ENCRYPTION_KEY": keys[0], "DATA_DIR": str(tmp_path / "var")}
        result = CliRunner().invoke(app, ["models", *arguments], env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def live(database: Database) -> str | None:
    with database.reading() as unit:
        version = registry.live_model(unit)
        return version.version if version else None


def test_the_list_shows_which_instances_serve_a_model(run: Run, database: Database) -> None:
    with database.unit_of_work() as unit:
        instances.acknowledge(unit, "host:1", 900, "one")
    lines = {line.split()[0]: line for line in run("list").stdout.splitlines()}
    assert set(lines) == {"one", "two"}
    assert " live " in lines["one"]
    assert lines["one"].endswith("served by host:1")
    assert " kept " in lines["two"]
    facts = json.loads(run("list", "--json").stdout)
    assert {row["version"]: row["live"] for row in facts} == {"one": True, "two": False}


def serve(database: Database, process: str, version: str, refused: str | None = None) -> None:
    """Record that a running bot serves one version and refused to load another."""
    with database.unit_of_work() as unit:
        instances.acknowledge(unit, process, 900, version)
        if refused is not None:
            instances.refuse(unit, process, refused, "The model is broken.")


def states(run: Run) -> dict[str, str]:
    return {row["version"]: row["state"] for row in json.loads(run("list", "--json").stdout)}


def test_a_model_is_live_only_once_all_running_bots_answer_with_it(run: Run, database: Database) -> None:
    assert states(run) == {"one": "pending", "two": "kept"}
    serve(database, "host:1", "one")
    serve(database, "host:2", "two")
    assert states(run)["one"] == "pending"
    assert json.loads(run("show", "one", "--json").stdout)["live"] is False
    serve(database, "host:2", "one")
    assert states(run)["one"] == "live"
    assert "state: live\n" in run("show", "one").stdout


def test_a_refused_model_is_listed_with_the_reason_and_the_model_that_answers(run: Run, database: Database) -> None:
    run("promote", "two")
    serve(database, "host:1", "one", refused="two")
    lines = {line.split()[0]: line for line in run("list").stdout.splitlines()}
    assert " refused " in lines["two"]
    assert lines["two"].endswith("refused by host:1: The model is broken.")
    assert " kept " in lines["one"]
    assert lines["one"].endswith("served by host:1")
    shown = run("show", "two").stdout
    assert "state: refused\n" in shown
    assert "refused by host:1: The model is broken.\n" in shown
    facts = json.loads(run("show", "two", "--json").stdout)
    assert (facts["live"], facts["served_by"]) == (False, [])
    assert facts["refusals"] == [{"process": "host:1", "reason": "The model is broken."}]


def test_a_shipped_model_that_was_replaced_shows_no_figures_of_the_new_one(
    run: Run, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "starter"
    folder.mkdir()
    replace(PLAIN, version="old").write(folder)
    with database.unit_of_work() as unit:
        registry.register(unit, "old", manifest_hash(folder), str(folder))
    replace(PLAIN, version="new", figures={"dev": {"accuracy": 0.1}}).write(folder)
    shown = run("show", "old")
    assert "accuracy" not in shown.stdout
    assert "it is not the version old in the registry" in shown.stderr


def test_promote_and_rollback_are_recorded(run: Run, database: Database) -> None:
    assert "Model two has been promoted" in run("promote", "two", "--why", "it waited").stderr
    assert live(database) == "two"
    assert "has already been promoted" in run("promote", "two").stderr
    run("rollback")
    assert live(database) == "one"
    with database.reading() as unit:
        changes = [(change.who, change.to_version, change.why) for change in registry.changes(unit, 2)]
    user = pwd.getpwuid(os.getuid()).pw_name
    assert changes == [
        (None, "one", f"user {user} ran thumbs models rollback"),
        (None, "two", f"user {user} ran thumbs models promote: it waited"),
    ]


def test_rollback_never_returns_to_a_model_that_was_rolled_back_from(run: Run, database: Database) -> None:
    with database.unit_of_work() as unit:
        registry.register(unit, "three", "3" * 64, "three")
    run("promote", "two")
    run("promote", "three")
    for earlier in ("two", "one"):
        run("rollback")
        assert live(database) == earlier
    with pytest.raises(NoEarlierModel):
        run("rollback")
    run("promote", "three")
    run("rollback")
    assert live(database) == "one"


def test_a_rollback_may_skip_models(run: Run, database: Database) -> None:
    with database.unit_of_work() as unit:
        registry.register(unit, "three", "3" * 64, "three")
    run("promote", "two")
    run("promote", "three")
    run("rollback", "one")
    with pytest.raises(NoEarlierModel):
        run("rollback")
    run("promote", "two")  # a model that was rolled back from may go live again
    run("rollback")
    assert live(database) == "one"


def test_an_unavailable_model_does_not_go_live(run: Run, database: Database) -> None:
    with pytest.raises(NoEarlierModel):
        run("rollback")
    with pytest.raises(UnknownModelVersion):
        run("promote", "three")
    with database.unit_of_work() as unit:
        registry.mark_removed(unit, "two")
    with pytest.raises(ModelRemoved):
        run("promote", "two")
    assert live(database) == "one"


def test_show_prints_the_evaluation_and_the_changes(run: Run, database: Database) -> None:
    run("promote", "two")
    with database.unit_of_work() as unit:
        registry.record_test(unit, "two", 19_000, 17_651)
    shown = run("show", "two").stdout
    assert "right on 17,651 of 19,000 test reviews" in shown
    assert "state: pending" in shown
    assert "dev: accuracy 0.9\n" in shown
    user = pwd.getpwuid(os.getuid()).pw_name
    assert f"two went live and replaced one. User {user} ran thumbs models promote" in shown
    facts = json.loads(run("show", "two", "--json").stdout)
    assert facts["figures"] == {"dev": {"accuracy": 0.9}}
    assert [change["from_version"] for change in facts["changes"]] == ["one"]


def test_a_model_is_removed_unless_it_is_live(run: Run, models: Path, database: Database) -> None:
    with pytest.raises(ModelLive):
        run("remove", "one")
    assert "Model two is removed." in run("remove", "two").stderr
    assert (states(run)["two"], sorted(path.name for path in models.iterdir())) == ("removed", ["one"])
    with database.unit_of_work() as unit:
        registry.register(unit, "gone", "3" * 64, str(models.parent / "gone"))
    run("remove", "gone")
    assert states(run)["gone"] == "removed"


def test_export_writes_a_verified_copy_and_refuses_a_changed_one(run: Run, models: Path, tmp_path: Path) -> None:
    run("export", "two", "--out", str(tmp_path / "mine"))
    assert verified_manifest(tmp_path / "mine").version == "two"
    os.truncate(models / "two" / "model.safetensors", 1)
    with pytest.raises(UnusableArtifact):
        run("export", "two", "--out", str(tmp_path / "other"))
    assert not (tmp_path / "other").exists()
    (models / "one" / MANIFEST).write_text((models / "one" / MANIFEST).read_text() + "\n")
    with pytest.raises(UnusableArtifact):
        run("export", "one", "--out", str(tmp_path / "other"))
