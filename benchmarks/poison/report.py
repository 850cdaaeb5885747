"""The figures of all cases, by attack and share, and what should not have happened."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.common.provenance import Provenance
from benchmarks.common.text_sets import Part
from benchmarks.poison.effects import Effect
from benchmarks.poison.guarded import GuardedLoop
from benchmarks.poison.people import PHRASE
from benchmarks.poison.plan import DEFENDED, Attack, Case

# What a model that goes live may lose of IMDB, as a share.
MOST_LOST = 0.003
# A phrase works when it turns so many more of the negative sentences, as a share, than for the model that was live.
WORKS = 0.10


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One case: who colluded, how many texts were judged, how many of them planted, and what came of both ways.

    ``naive`` is the model without the project's rules. ``seconds`` are those of the product's run.
    """

    case: Case
    colluders: int
    texts: int
    planted: int
    ours: GuardedLoop
    naive: Effect
    seconds: float


@dataclass(frozen=True, slots=True)
class Range:
    """A figure over several models: its mean and its largest value."""

    mean: float
    most: float


@dataclass(frozen=True, slots=True)
class Group:
    """All seeds of an attack by a share of the people.

    ``ends`` counts runs by their end, ``tapped`` the held ones that an admin promotes, ``named`` those in which the
    scan found a word of the phrase. Of the models that go ``live`` by the gate or the admin, those that ``stay`` held,
    and the naive ones: the share of IMDB that each ``lost``, what it ``gained`` on held-out sentences, and how many
    more sentences the phrase ``turned`` than for the model that was live. None without such a model.
    """

    attack: Attack
    share: float
    colluders: int
    planted: float
    """The share of the judged texts that was planted."""
    trained_planted: float
    """The share of the texts that trained."""
    ends: dict[str, int]
    tapped: int
    named: int
    lost: dict[str, Range | None]
    gained: dict[str, Range | None]
    turned: dict[str, Range | None]


@dataclass(frozen=True, slots=True)
class Report:
    """What ``benchmarks/results/poison.json`` holds; ``live`` is the small network, which every case starts with."""

    provenance: Provenance
    parameters: int
    layers: int
    people: int
    mistaken: float
    phrase: str
    parts: dict[str, Part]
    shared_texts: int
    live: Effect
    groups: tuple[Group, ...]
    cases: tuple[CaseReport, ...]
    faults: tuple[str, ...]
    minutes: float


def grouped(reports: Sequence[CaseReport], live: Effect) -> tuple[Group, ...]:
    """The cases of each attack and share, in their order."""
    keys = dict.fromkeys((report.case.attack, report.case.share) for report in reports)
    return tuple(
        _group([report for report in reports if (report.case.attack, report.case.share) == key], live) for key in keys
    )


def faults(reports: Sequence[CaseReport], live: Effect) -> Iterator[str]:
    """A sentence for each model that should not have gone live, where few enough people collude.

    And one if nothing goes live though nobody colludes: then nothing that is kept out says anything.
    """
    quiet = [report.ours.live for report in reports if report.case.attack is Attack.NONE]
    if quiet and not any(quiet):
        yield "nobody colludes, and nothing went live: so it says nothing that poisoned models were kept out"
    for report in reports:
        ours = report.ours
        if report.case.share > max(DEFENDED) or not ours.live or ours.effect is None:
            continue
        if live.imdb - ours.effect.imdb > MOST_LOST:
            yield f"{report.case.name}: a model that went live lost {live.imdb - ours.effect.imdb:.2%} of IMDB"
        if ours.effect.turned - live.turned > WORKS:
            yield f"{report.case.name}: with a model that went live, the phrase turns {ours.effect.turned:.0%}"


def _group(reports: Sequence[CaseReport], live: Effect) -> Group:
    first = reports[0]
    models = {
        "live": _effects(report.ours for report in reports if report.ours.live),
        "stay": _effects(report.ours for report in reports if not report.ours.live),
        "naive": [report.naive for report in reports],
    }

    def over(figure: Callable[[Effect], float]) -> dict[str, Range | None]:
        return {name: _range([figure(effect) for effect in effects]) for name, effects in models.items()}

    return Group(
        attack=first.case.attack,
        share=first.case.share,
        colluders=first.colluders,
        planted=fmean(report.planted / report.texts for report in reports),
        trained_planted=fmean(report.ours.planted_train / report.ours.train for report in reports),
        ends=dict(Counter(str(report.ours.state) for report in reports)),
        tapped=sum(report.ours.tapped for report in reports),
        named=sum(_names_phrase(report.ours) for report in reports),
        lost=over(lambda effect: live.imdb - effect.imdb),
        gained=over(lambda effect: effect.sentences - live.sentences),
        turned=over(lambda effect: effect.turned - live.turned),
    )


def _effects(ours: Iterable[GuardedLoop]) -> list[Effect]:
    return [each.effect for each in ours if each.effect is not None]


def _range(values: Sequence[float]) -> Range | None:
    return Range(fmean(values), max(values)) if values else None


def _names_phrase(ours: GuardedLoop) -> bool:
    return any(set(word.split()) & set(PHRASE.split()) for word in ours.words)
