"""The starter, published under other versions, and ways to damage it."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

from paths import STARTER

from core.settings import Settings
from ml.serving.artifact import MANIFEST, Manifest, file_hashes, manifest_hash
from storage.db.database import Database
from storage.models import registry
from storage.models.registry import ModelVersion


def make_live(database: Database, version: str) -> None:
    with database.unit_of_work() as unit:
        registry.make_live(unit, version, "a test says so")


def published(folder: Path, version: str) -> Path:
    """Publish the starter under a different version."""
    folder.mkdir(parents=True)
    for path in STARTER.iterdir():
        if path.name != MANIFEST:
            os.link(path, folder / path.name)
    replace(Manifest.read(STARTER), version=version).write(folder)
    return folder


def empty_vocabulary(folder: Path) -> None:
    """Publish the model with a tokenizer that raises a bare Exception when it reads a text."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["model"]["vocab"] = {}
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    replace(Manifest.read(folder), files=file_hashes(folder)).write(folder)


def truncate(folder: Path) -> None:
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(content[:-1])


def corrupt(folder: Path) -> None:
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.unlink()
    weights.write_bytes(content)


def replace_model(folder: Path) -> None:
    """Put a valid model in place of the registered model."""
    shutil.rmtree(folder)
    published(folder, "foreign")


def remove_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def registered(database: Database, folder: Path, version: str) -> ModelVersion:
    with database.unit_of_work() as unit:
        registry.register(unit, version, manifest_hash(folder), folder.name)
        return registry.get_version(unit, version)


def registered_run(database: Database, settings: Settings) -> ModelVersion:
    """Publish and register the starter as the model of a training run."""
    return registered(database, published(settings.data_dir / "models" / "run1", "run-1"), "run-1")
