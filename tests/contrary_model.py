"""A model that contradicts the starter, and a worker's part in getting it to an admin's decision."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from bot_process import BotHome
from paths import STARTER
from safetensors.numpy import load_file, save_file

from ml.evaluation.paired_counts import PairedCounts
from ml.serving.artifact import MANIFEST, Manifest, file_hashes, manifest_hash
from storage.chat import people
from storage.db.database import Database
from storage.db.states import Consent, RunState
from storage.models import registry
from storage.privacy.consent import record_consent
from storage.training import runs
from worker.gate.decision import GateBounds, decide
from worker.gate.measurements import Measurements, VoteEvidence

ADA = 1
SHIPPED = Manifest.read(STARTER).version
CONTRARY = "contrary-model"
FEW = VoteEvidence.equally_weighted(PairedCounts(12, 6, 8, 1, 3))
HELD = decide(Measurements(None, FEW, {}, {}, ()), GateBounds(0.003, 0.95, 0.02, 0.02, auto_promote=True))


def publish_contrary(folder: Path) -> str:
    """Publish a model that always contradicts the starter, and return its manifest's hash."""
    folder.mkdir(parents=True)
    for path in STARTER.iterdir():
        if path.name != MANIFEST:
            (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(folder / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        weights[name] = np.ascontiguousarray(weights[name][::-1])
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    manifest = Manifest.read(STARTER)
    probes = [row[::-1] for row in manifest.probe_logits]
    replace(manifest, version=CONTRARY, probe_logits=probes, files=file_hashes(folder)).write(folder)
    return manifest_hash(folder)


def finish_held(home: BotHome, database: Database) -> None:
    """Finish the open run as a worker would after the gate held its candidate. The candidate is in the store."""
    sha256 = publish_contrary(home.settings.data_dir / "models" / CONTRARY)
    with database.unit_of_work() as unit:
        run = runs.open_run(unit)
        assert run is not None
        lease = runs.claim(unit, run.id, "the test")
        assert lease is not None
        runs.record_snapshot(unit, lease, SHIPPED)
        registry.register(unit, CONTRARY, sha256, CONTRARY, run.id)
        runs.finish(unit, lease, RunState.HELD, candidate=CONTRARY, decision=HELD.record())
        person = people.find_person(unit, ADA)
        assert person is not None
        record_consent(unit, person, Consent.GRANTED, "test")
