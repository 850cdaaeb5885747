"""Checks that each text in a history got one reply, in order, or has a reply that is listed as uncertain."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.delivery.history import OPEN_REPLIES, History, SentText, StoredReply, WireCall
from storage.db.states import ReplyState

CUTS: Final = ("answer_lost", "dropped_before")
"""Wire faults after which a sender cannot know whether the message arrived."""


@dataclass(frozen=True, slots=True)
class UncertainReply:
    """A reply that the database lists as uncertain.

    ``arrived`` is True if the person received the reply after all. ``fault`` is the wire fault during the call, or None
    if the bot was killed during it.
    """

    chat_id: int
    answers: int | None
    arrived: bool
    fault: str | None


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings from a history.

    ``lost`` texts got no reply, not even an uncertain one. ``doubled`` texts got more than one reply. ``out_of_order``
    texts got their reply after the reply to a later text in the same chat. ``refused`` texts got a message without a
    verdict. ``unexplained`` lists the numbers of calls whose message is not a reply to any text. ``unfinished`` counts
    the replies still to be sent and the updates still to be handled.
    """

    texts: int
    answered: int
    lost: tuple[SentText, ...]
    doubled: tuple[SentText, ...]
    out_of_order: tuple[SentText, ...]
    refused: tuple[SentText, ...]
    uncertain: tuple[UncertainReply, ...]
    unexplained: tuple[int, ...]
    unfinished: int

    @property
    def complete(self) -> bool:
        """Whether the history is complete: each text is accounted for, and the bot has nothing left to do."""
        return not self.lost and not self.unfinished


def check(history: History) -> Findings:
    """Return the findings from the history."""
    texts = set(history.texts)
    arrived = sorted((call for call in history.calls if call.arrived), key=lambda call: call.number)
    answers = Counter(call.text for call in arrived)
    uncertain = [reply for reply in history.replies if reply.state is ReplyState.UNCERTAIN]
    excused = {reply.text for reply in uncertain}
    with_verdict = {call.text for call in arrived if call.has_verdict}
    return Findings(
        texts=len(history.texts),
        answered=sum(text in answers for text in texts),
        lost=tuple(text for text in history.texts if text not in answers and text not in excused),
        doubled=tuple(text for text in history.texts if answers[text] > 1),
        out_of_order=tuple(_out_of_order(arrived, texts)),
        refused=tuple(text for text in history.texts if text in answers and text not in with_verdict),
        uncertain=tuple(_describe(reply, history.calls, answers) for reply in uncertain),
        unexplained=tuple(call.number for call in arrived if call.text not in texts),
        unfinished=history.open_updates + sum(reply.state in OPEN_REPLIES for reply in history.replies),
    )


def _out_of_order(arrived: list[WireCall], texts: set[SentText]) -> Iterator[SentText]:
    """Yield the texts whose first reply arrived after a reply to a later text in the same chat."""
    newest: defaultdict[int, int] = defaultdict(int)
    seen: set[SentText] = set()
    for call in arrived:
        text = call.text
        if text is None or text not in texts or text in seen:
            continue
        seen.add(text)
        if text.message_id < newest[text.chat_id]:
            yield text
        newest[text.chat_id] = max(newest[text.chat_id], text.message_id)


def _describe(reply: StoredReply, calls: tuple[WireCall, ...], answers: Counter[SentText | None]) -> UncertainReply:
    text = reply.text
    cut = [call.fault for call in calls if text is not None and call.text == text and call.fault in CUTS]
    return UncertainReply(reply.chat_id, reply.answers, answers[text] > 0, cut[-1] if cut else None)
