"""Takes a run's look at the votes, by reserving the alpha that the gate's test spends."""

from core.settings import Settings
from storage.db.database import Database
from storage.models import looks
from storage.models.looks import Look
from storage.training.runs import Run
from worker.gate.measurements import VoteEvidence
from worker.gate.spending import Allowance, allow


def take_look(database: Database, settings: Settings, run: Run, evidence: VoteEvidence | None) -> Allowance:
    """Return what the run may spend, and record it, so that neither a retry nor another worker spends it again."""
    with database.unit_of_work() as unit:
        looks.lock(unit)
        earlier = looks.looks(unit)
        own = next((look for look in earlier if look.run_id == run.id), None)
        if own is not None:
            return Allowance(own.alpha)
        champion, now = run.champion or "", unit.now()
        allowance = allow(earlier, settings.gate_wrong_promotions_per_year, now, champion, evidence)
        if evidence is not None and allowance.alpha:
            looks.record(unit, Look(now, champion, evidence.texts, allowance.alpha, run_id=run.id))
        return allowance
