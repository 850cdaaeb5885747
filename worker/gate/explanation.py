"""Explains the gate's decision to admins in one sentence, with whole percentages and points to one decimal place."""

from collections.abc import Sequence
from typing import Final

from worker.gate.measurements import PairedResult, TriggerWord, VoteEvidence

_MAX_NAMED_WORDS: Final = 3
# The ratios of two chances from which they are different, and up to which a number of times is worth a figure.
_NOTABLE_RATIO: Final = 1.25
_LARGE_RATIO: Final = 20


def sentence(outcome: str, feedback: str, link: str, reasons: Sequence[str]) -> str:
    """Return one sentence: the outcome, how the candidate did on feedback, and the reasons, joined by ``link``."""
    parts = [part for part in (feedback, "; ".join(reasons)) if part]
    return f"{outcome}: {link.join(parts)}."


def link_to_objections(judgements: VoteEvidence | None) -> str:
    """Return the words that link the result on feedback to the objections to the candidate."""
    improved = judgements is not None and judgements.gain > 0
    return ", but " if improved else ", and "


def feedback_clause(judgements: VoteEvidence | None) -> str:
    """Say how the candidate did on feedback, or return "" if there is none or it is inconclusive."""
    if judgements is None or judgements.unknown is not None:
        return ""
    if judgements.gain == 0:
        return f"no better on feedback, {_change(judgements)}"
    word = "better" if judgements.gain > 0 else "worse"
    return f"{word} on feedback, {_change(judgements)}"


def voting_sentence(judgements: VoteEvidence | None) -> str:
    """Say what share of verdicts got votes, and how much more often mistakes did, or return "" if unknown."""
    if judgements is None or judgements.voted_share is None or judgements.voted_share == 1:
        return ""
    voted = f"People voted on {judgements.voted_share:.0%} of verdicts"
    ratio = judgements.mistake_ratio
    if ratio is None:
        return f"{voted}."
    kind, times = ("mistakes", ratio) if ratio >= 1 else ("correct verdicts", 1 / ratio)
    if times < _NOTABLE_RATIO:
        return f"{voted}; mistakes about as often as correct verdicts."
    how = f"about {times:.2g}" if times <= _LARGE_RATIO else f"more than {_LARGE_RATIO}"
    return f"{voted}; {kind} {how} times as often."


def too_few_corrections_clause(judgements: VoteEvidence | None, needed: int) -> str:
    """Say how many more votes are needed to decide."""
    if judgements is None:
        return f"there are no votes to evaluate on; at least {needed} are needed"
    return f"{judgements.texts} votes are too few to tell; about {needed} more are needed"


def next_look_clause(texts: int) -> str:
    """Say when the gate tests the votes again, if it recently tested nearly the same votes."""
    return f"the votes were tested recently, and will be tested again once there are {texts}"


def trigger_clause(words: Sequence[TriggerWord]) -> str:
    """Say which words flip neutral sentences, naming only the strongest few."""
    named = [f"“{found.word}” to {found.label}" for found in words[:_MAX_NAMED_WORDS]]
    others = len(words) - len(named)
    listed = ", ".join(named) + (f" and {others} more" if others else "")
    return f"new words flip neutral sentences: {listed}"


def imdb_change_clause(imdb: PairedResult | None) -> str:
    """Say how a promoted candidate changes the accuracy on IMDB."""
    if imdb is None or imdb.candidate_right == imdb.champion_right:
        return "IMDB accuracy is unchanged"
    change = abs(imdb.candidate_right - imdb.champion_right) / imdb.texts
    verb = "rose" if imdb.candidate_right > imdb.champion_right else "fell"
    return f"IMDB accuracy {verb} {_points(change, 0)} points"


def imdb_loss_clause(imdb: PairedResult, limit: float) -> str:
    """Say how far the accuracy on IMDB fell, or may have fallen, beyond ``limit`` (a share from 0 to 1)."""
    fall = (imdb.champion_right - imdb.candidate_right) / imdb.texts
    if fall > limit:
        return f"IMDB accuracy fell {_points(fall, limit)} points; the limit is {_points(limit, fall)}"
    possible_fall = -imdb.lower
    may = f"may have fallen {_points(possible_fall, limit)}"
    the_limit = f"the limit is {_points(limit, possible_fall)}"
    if fall > 0:
        return f"IMDB accuracy fell {_points(fall, limit)} points and {may}; {the_limit}"
    return f"IMDB accuracy {may} points; {the_limit}"


def imdb_flips_clause(share: float, limit: float) -> str:
    """Say how many IMDB reviews flipped from right to wrong. Both arguments are shares from 0 to 1."""
    return (
        f"{_points(share, limit)}% of the IMDB reviews turned from right to wrong; "
        f"the limit is {_points(limit, share)}%"
    )


def behaviour_clause(lost: int, cases: int, limit: int) -> str:
    """Say how many more behavioural cases the candidate fails."""
    return f"it fails {lost} more of the {cases} behavioural cases; the limit is {limit}"


def _change(result: VoteEvidence) -> str:
    """Return both accuracies, such as ``61% to 74%``, with one decimal place if they would otherwise look the same."""
    before, after = result.champion_accuracy, result.candidate_accuracy
    if before == after:
        return f"{after:.0%} as before"
    decimals = 0 if f"{before:.0%}" != f"{after:.0%}" else 1
    return f"{before:.{decimals}%} to {after:.{decimals}%}"


def _points(share: float, beside: float) -> str:
    """Format a share from 0 to 1 in points, with a second decimal place if it would otherwise look like ``beside``."""
    decimals = 1 if f"{share:.3f}" != f"{beside:.3f}" else 2
    return f"{100 * share:.{decimals}f}"


def trial_sentence(outcome: str, votes: VoteEvidence, *, last_look: bool) -> str:
    """Say why a trial was confirmed or rolled back, as the end of a sentence about the model."""
    right = (
        f"on {votes.texts} texts with new votes, it was right {votes.candidate_right} times "
        f"and the earlier model {votes.champion_right} times"
    )
    if outcome == "confirm":
        return f"the votes prove that it is better: {right}"
    return f"the votes do not prove that it is better: {right}" if last_look else f"the votes go against it: {right}"
