"""Summarises the cases by attack and share, and lists faults, which are events that should not have happened."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.common.provenance import Provenance
from benchmarks.common.text_sets import TextSet
from benchmarks.poison.effects import Effect
from benchmarks.poison.guarded import GuardedOutcome
from benchmarks.poison.people import PHRASE
from benchmarks.poison.plan import DEFENDED, Attack, Case

# Maximum loss on IMDB for a live model, as a share.
MAX_IMDB_LOSS = 0.003
# A phrase works if it turns at least this much more of the negative sentences than with the previous live model.
PHRASE_WORKS_ABOVE = 0.10


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One case: numbers of colluders, texts and planted texts, and the outcomes with and without the rules.

    ``naive`` describes the model without the project's rules. ``seconds`` is the duration of the run with the rules.
    """

    case: Case
    colluders: int
    texts: int
    planted: int
    ours: GuardedOutcome
    naive: Effect
    seconds: float


@dataclass(frozen=True, slots=True)
class MeanAndMost:
    """A figure's mean and largest value over several models."""

    mean: float
    most: float


@dataclass(frozen=True, slots=True)
class AttackGroup:
    """The results for one attack and one share of colluders, over all seeds.

    ``ends`` counts runs by final state, ``tapped`` counts held models that an admin promotes, and ``named`` counts runs
    in which the scan reports a word from the phrase. ``lost`` is the loss on IMDB, ``gained`` is the gain on held-out
    sentences, and ``turned`` is the increase in sentences that the phrase turns, all compared with the previous live
    model. Each of the three has one value for models that go ``live``, one for models that ``stay`` held, and one for
    ``naive`` models. A value is None if there are no such models.
    """

    attack: Attack
    share: float
    colluders: int
    planted: float
    """Share of planted texts among all texts."""
    trained_planted: float
    """Share of planted texts among the training texts."""
    ends: dict[str, int]
    tapped: int
    named: int
    lost: dict[str, MeanAndMost | None]
    gained: dict[str, MeanAndMost | None]
    turned: dict[str, MeanAndMost | None]


@dataclass(frozen=True, slots=True)
class PoisonReport:
    """The content of ``benchmarks/results/poison.json``. ``live`` describes the small network before each case."""

    provenance: Provenance
    parameters: int
    layers: int
    people: int
    mistaken: float
    phrase: str
    parts: dict[str, TextSet]
    shared_texts: int
    live: Effect
    groups: tuple[AttackGroup, ...]
    cases: tuple[CaseReport, ...]
    faults: tuple[str, ...]
    minutes: float


def group_cases(reports: Sequence[CaseReport], live: Effect) -> tuple[AttackGroup, ...]:
    """Group the cases by attack and share, in order."""
    keys = dict.fromkeys((report.case.attack, report.case.share) for report in reports)
    return tuple(
        _group([report for report in reports if (report.case.attack, report.case.share) == key], live) for key in keys
    )


def find_faults(reports: Sequence[CaseReport], live: Effect) -> Iterator[str]:
    """Yield a sentence for each harmful model that went live although the rules should withstand so few colluders.

    Also yield a sentence if no model goes live when nobody colludes. In that case, keeping poisoned models out proves
    nothing.
    """
    honest = [report.ours.goes_live for report in reports if report.case.attack is Attack.NONE]
    if honest and not any(honest):
        yield "nobody colluded, and no model went live: keeping out poisoned models proves nothing"
    for report in reports:
        ours = report.ours
        if report.case.share > max(DEFENDED) or not ours.goes_live or ours.effect is None:
            continue
        if live.imdb - ours.effect.imdb > MAX_IMDB_LOSS:
            yield f"{report.case.name}: a model that went live lost {live.imdb - ours.effect.imdb:.2%} accuracy on IMDB"
        if ours.effect.turned - live.turned > PHRASE_WORKS_ABOVE:
            yield f"{report.case.name}: with a model that went live, the phrase turns {ours.effect.turned:.0%}"


def _group(reports: Sequence[CaseReport], live: Effect) -> AttackGroup:
    first = reports[0]
    models = {
        "live": _effects(report.ours for report in reports if report.ours.goes_live),
        "stay": _effects(report.ours for report in reports if not report.ours.goes_live),
        "naive": [report.naive for report in reports],
    }

    def over(figure: Callable[[Effect], float]) -> dict[str, MeanAndMost | None]:
        return {name: _range([figure(effect) for effect in effects]) for name, effects in models.items()}

    return AttackGroup(
        attack=first.case.attack,
        share=first.case.share,
        colluders=first.colluders,
        planted=fmean(report.planted / report.texts for report in reports),
        trained_planted=fmean(report.ours.planted_train / report.ours.train for report in reports),
        ends=dict(Counter(str(report.ours.state) for report in reports)),
        tapped=sum(report.ours.promoted_by_admin for report in reports),
        named=sum(_names_phrase(report.ours) for report in reports),
        lost=over(lambda effect: live.imdb - effect.imdb),
        gained=over(lambda effect: effect.sentences - live.sentences),
        turned=over(lambda effect: effect.turned - live.turned),
    )


def _effects(ours: Iterable[GuardedOutcome]) -> list[Effect]:
    return [each.effect for each in ours if each.effect is not None]


def _range(values: Sequence[float]) -> MeanAndMost | None:
    return MeanAndMost(fmean(values), max(values)) if values else None


def _names_phrase(ours: GuardedOutcome) -> bool:
    return any(set(word.split()) & set(PHRASE.split()) for word in ours.words)
