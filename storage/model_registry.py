"""Published models. The row holds the manifest's hash, so the database vouches for the files."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from config.errors import ModelVersionTaken, UnknownModelVersion
from storage.database import Unit
from storage.tables import ModelVersionRow


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One published model; ``location`` is the folder or address that its files are at."""

    version: str
    manifest_sha256: str
    location: str
    created_at: datetime
    live: bool


def register(unit: Unit, version: str, manifest_sha256: str, location: str) -> None:
    """Make a version known; for one that is known already, only its location may differ, and is updated.

    Raises ModelVersionTaken when the version is known with another manifest.
    """
    known = unit.scalars(
        unit.insert(ModelVersionRow)
        .values(version=version, manifest_sha256=manifest_sha256, location=location)
        .on_conflict_do_update(index_elements=[ModelVersionRow.version], set_={"location": location})
        .returning(ModelVersionRow.manifest_sha256)
    ).one()
    if known != manifest_sha256:
        raise ModelVersionTaken(version=version)


def make_live(unit: Unit, version: str) -> None:
    """Let this version answer from now on, and no other; raises UnknownModelVersion when it is not registered."""
    unit.change(update(ModelVersionRow).where(ModelVersionRow.live).values(live=False))
    if not unit.change(update(ModelVersionRow).where(ModelVersionRow.version == version).values(live=True)):
        raise UnknownModelVersion(version=version)


def live(unit: Unit) -> ModelVersion | None:
    """Find the version that answers, None when none was made live."""
    row = unit.scalar(select(ModelVersionRow).where(ModelVersionRow.live))
    if row is None:
        return None
    return ModelVersion(row.version, row.manifest_sha256, row.location, row.created_at, row.live)
