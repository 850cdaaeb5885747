"""Predicts what a run will be able to prove from the current votes. Free of Telegram types."""

from dataclasses import dataclass

from bot.texts import Texts, fill
from core.settings import Settings
from ml.evaluation.alpha_spending import alpha_for_run
from ml.evaluation.significance import provable_gain
from storage.db.database import UnitOfWork
from storage.feedback.eligibility import EligibilityRules
from storage.models import looks, registry
from storage.training import snapshots


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast of what a feedback round can prove with the current votes.

    ``usable`` is the number of texts with usable votes. ``provable_gain`` is the smallest gain in accuracy (0 to 1)
    that the votes could prove, or None if they are too few. ``next_look`` is the number of texts needed for the next
    test of the votes, or 0 if it is due now. ``over_quota`` is the number of texts that exceed someone's quota and are
    used only to measure the model.
    """

    usable: int
    provable_gain: float | None
    next_look: int
    over_quota: int = 0


def read_forecast(unit: UnitOfWork, settings: Settings) -> Forecast:
    """Return what a feedback round would be able to prove now."""
    found = snapshots.preview(unit, EligibilityRules.from_settings(settings), frozenset(settings.admin_ids))
    usable = found.usable
    earlier, champion = looks.looks(unit), registry.baseline(unit)
    alpha = alpha_for_run(earlier, settings.gate_wrong_promotions_per_year, unit.now())
    next_look = 0 if champion is None else looks.texts_for_next_look(earlier, champion.version)
    due_at = next_look if usable < next_look else 0
    return Forecast(usable, provable_gain(usable, 1 - alpha), due_at, found.over_quota)


def render_forecast(texts: Texts, forecast: Forecast, quorum: int) -> str:
    """Return the forecast as HTML, including what an admin can do."""
    if not forecast.over_quota:
        return _outlook(texts, forecast, quorum)
    return f"{_outlook(texts, forecast, quorum)}\n\n{fill(texts.forecast_over_quota, waiting=forecast.over_quota)}"


def _outlook(texts: Texts, forecast: Forecast, quorum: int) -> str:
    if not forecast.usable:
        return fill(texts.forecast_none, quorum=quorum)
    if forecast.next_look:
        return fill(texts.forecast_later, usable=forecast.usable, next=forecast.next_look)
    if forecast.provable_gain is None:
        return fill(texts.forecast_few, usable=forecast.usable)
    return fill(texts.forecast_enough, usable=f"{forecast.usable:,}", points=f"{100 * forecast.provable_gain:g}")
