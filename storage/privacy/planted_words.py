"""Removes words that the gate found in deleted texts from its records of the runs that used these texts."""

from typing import Any, Final

from sqlalchemy import Select, select, update

from storage.db.database import UnitOfWork
from storage.db.tables import FollowerRow, RunRow

# What the records show instead of a removed word.
_REMOVED: Final = "…"


def remove_planted_words(unit: UnitOfWork, run_ids: Select[int]) -> None:
    """Remove the words that the trigger scan reported for these runs. They stay in no record, and their number stays.

    A scan doesn't record whose texts contained a word, so all of a run's words are removed.
    """
    for run_id, decision in unit.execute(select(RunRow.id, RunRow.decision).where(RunRow.id.in_(run_ids))).all():
        words = decision["figures"].get("trigger_words") if decision and "figures" in decision else None
        if decision and words:
            unit.change(update(RunRow).where(RunRow.id == run_id).values(decision=_without(decision, words)))
            # The bot renders the message again, without the words.
            unit.change(update(FollowerRow).where(FollowerRow.run_id == run_id).values(shown=None))


def _without(decision: dict[str, Any], words: list[dict[str, Any]]) -> dict[str, Any]:
    sentence = decision["sentence"]
    for found in words:
        sentence = sentence.replace(f"“{found['word']}”", f"“{_REMOVED}”")
    figures = {**decision["figures"], "trigger_words": [{**found, "word": _REMOVED} for found in words]}
    return {**decision, "sentence": sentence, "figures": figures}
