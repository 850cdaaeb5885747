"""The delivery benchmark's plans, checkpoint, report and tables, and the faults that its history checker finds."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.common.provenance import Provenance
from benchmarks.delivery.checker import UncertainReply, check
from benchmarks.delivery.checkpoint import Checkpoint
from benchmarks.delivery.history import History, SentText, StoredReply, WireCall
from benchmarks.delivery.outages import Outage, OutageResult
from benchmarks.delivery.people import FAULTS, Load
from benchmarks.delivery.plan import Lane, Moment, draw_kills, split_into_segments
from benchmarks.delivery.report import DeliveryReport, summarise, thumbs_faults, uncertain_replies
from benchmarks.delivery.segment import Kill, SegmentResult
from benchmarks.delivery.subjects import Work
from benchmarks.figures.delivery import delivery
from storage.db.states import ReplyState


def call(number: int, chat_id: int, answers: int | None, **changes: Any) -> WireCall:
    return replace(WireCall(number, chat_id, answers, arrived=True, has_verdict=True, fault=None), **changes)


TEXTS = (SentText(7, 1), SentText(8, 1), SentText(7, 3), SentText(8, 3))
CALLS = (
    call(1, 7, 1),
    call(2, 8, 1, arrived=False, fault="500"),
    call(3, 8, 1),
    call(4, 7, 3, fault="slow"),
    call(5, 8, 3),
)
WELL = History(TEXTS, CALLS, tuple(StoredReply(text.chat_id, text.message_id, ReplyState.SENT) for text in TEXTS))


def with_reply(place: int, state: ReplyState) -> tuple[StoredReply, ...]:
    """Return the replies from a correct history, with one of them in a different state."""
    return (*WELL.replies[:place], replace(WELL.replies[place], state=state), *WELL.replies[place + 1 :])


def test_a_history_in_which_all_is_well_has_no_faults() -> None:
    found = check(WELL)
    assert (found.texts, found.answered, found.complete) == (4, 4, True)
    assert not any([found.lost, found.doubled, found.out_of_order, found.refused, found.uncertain, found.unexplained])


def test_a_text_without_an_answer_is_lost() -> None:
    found = check(replace(WELL, calls=CALLS[:-1]))
    assert (found.lost, found.answered, found.complete) == ((SentText(8, 3),), 3, False)


def test_a_refused_or_cut_call_is_no_answer() -> None:
    for fault in ("429", "500", "html_502", "dropped_before"):
        found = check(replace(WELL, calls=(*CALLS[:-1], call(5, 8, 3, arrived=False, fault=fault))))
        assert found.lost == (SentText(8, 3),)


def test_a_sent_row_does_not_excuse_a_missing_message() -> None:
    assert check(replace(WELL, calls=CALLS[1:])).lost == (SentText(7, 1),)


@pytest.mark.parametrize("state", [ReplyState.SENT, ReplyState.UNCERTAIN])
def test_a_text_with_two_answers_is_doubled_whatever_the_database_says(state: ReplyState) -> None:
    found = check(replace(WELL, calls=(*CALLS, call(6, 7, 1)), replies=with_reply(0, state)))
    assert found.doubled == (SentText(7, 1),)


def test_an_answer_that_was_lost_on_the_way_back_and_sent_again_is_doubled() -> None:
    calls = (call(1, 7, 1, fault="answer_lost"), *CALLS[1:], call(6, 7, 1))
    assert check(replace(WELL, calls=calls)).doubled == (SentText(7, 1),)


def test_an_answer_after_one_to_a_later_text_is_out_of_order() -> None:
    calls = (call(1, 7, 3), call(2, 7, 1), *CALLS[2:3], CALLS[4])
    assert check(replace(WELL, calls=calls)).out_of_order == (SentText(7, 1),)


def test_the_order_of_different_chats_does_not_matter() -> None:
    calls = (call(1, 8, 1), call(2, 8, 3), call(3, 7, 1), call(4, 7, 3))
    assert check(replace(WELL, calls=calls)).out_of_order == ()


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ((), UncertainReply(8, 3, arrived=False, fault=None)),
        ((call(5, 8, 3),), UncertainReply(8, 3, arrived=True, fault=None)),
        ((call(5, 8, 3, fault="answer_lost"),), UncertainReply(8, 3, arrived=True, fault="answer_lost")),
        (
            (call(5, 8, 3, arrived=False, fault="dropped_before"),),
            UncertainReply(8, 3, arrived=False, fault="dropped_before"),
        ),
    ],
)
def test_an_uncertain_reply_is_listed_and_its_text_is_not_lost(
    last: tuple[WireCall, ...], expected: UncertainReply
) -> None:
    found = check(replace(WELL, calls=(*CALLS[:-1], *last), replies=with_reply(3, ReplyState.UNCERTAIN)))
    assert (found.uncertain, found.lost, found.complete) == ((expected,), (), True)


@pytest.mark.parametrize("answers", [None, 2, 99])
def test_a_message_that_answers_no_text_is_unexplained(answers: int | None) -> None:
    assert check(replace(WELL, calls=(*CALLS, call(6, 7, answers)))).unexplained == (6,)


def test_an_answer_without_a_verdict_is_a_refusal() -> None:
    assert check(replace(WELL, calls=(call(1, 7, 1, has_verdict=False), *CALLS[1:]))).refused == (SentText(7, 1),)


@pytest.mark.parametrize("state", [ReplyState.PENDING, ReplyState.SENDING])
def test_open_replies_and_updates_are_unfinished(state: ReplyState) -> None:
    found = check(replace(WELL, replies=with_reply(0, state), open_updates=2))
    assert (found.unfinished, found.complete) == (3, False)


def test_calls_are_read_from_the_playgrounds_log() -> None:
    params = {"chat_id": 7, "text": "👍 <b>Positive</b> · 91%", "reply_parameters": {"message_id": 3}}
    entry = {"seq": 4, "method": "sendMessage", "params": params, "ok": True, "result": {}}
    assert WireCall.parse(entry) == call(4, 7, 3)
    unread = {**params, "chat_id": "7", "reply_parameters": json.dumps({"message_id": 3})}
    refused = {**entry, "params": unread, "ok": False, "fault": "429"}
    assert WireCall.parse(refused) == call(4, 7, 3, arrived=False, fault="429")
    assert WireCall.parse({**entry, "method": "getMe"}) is None


def test_a_seed_draws_the_same_kills_and_another_draws_others() -> None:
    assert draw_kills("1 x", 50, ["bot"]) == draw_kills("1 x", 50, ["bot"])
    assert draw_kills("1 x", 50, ["bot"]) != draw_kills("2 x", 50, ["bot"])
    assert {kill.moment for kill in draw_kills("1", 100, ["bot"])} == set(Moment)
    assert {kill.victim for kill in draw_kills("1", 100, ["bot", "worker"])} == {"bot", "worker"}


def test_segments_hold_the_kills_that_are_left() -> None:
    kills = draw_kills("1", 10, ["bot"])
    segments = split_into_segments(Lane.SQLITE_POLLING, kills, 4, executed=3)
    assert [(segment.first, len(segment.kills)) for segment in segments] == [(3, 4), (7, 3)]
    assert [kill for segment in segments for kill in segment.kills] == kills[3:]


KILLS = (
    Kill(0, "bot", Moment.SENDING, Work(received=1, pending=0, sending=1)),
    Kill(1, "bot", Moment.STARTING, Work(received=0, pending=0, sending=0)),
)
UNCERTAIN = check(replace(WELL, replies=with_reply(3, ReplyState.UNCERTAIN)))
RESULT = SegmentResult("sqlite-polling", 0, KILLS, UNCERTAIN, (2.0, 3.0), 0, 20.0, None)
LANES = ("sqlite-polling", "plain-bot")
OUTAGES = OutageResult((Outage("Redis killed", 10.0, 9.6, 0.1),), check(WELL), 0)


def test_an_interrupted_run_resumes_after_the_finished_segments(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.jsonl"
    first = Checkpoint(path, resume=False)
    first.add_segment(RESULT)
    first.add_kill(Lane.SQLITE_POLLING, replace(KILLS[0], number=2))
    first.add_outages(OUTAGES)
    first.close()
    with path.open("a", encoding="utf-8") as file:
        file.write('{"kind": "kill", "resu')
    resumed = Checkpoint(path, resume=True)
    assert (resumed.executed(Lane.SQLITE_POLLING), resumed.executed(Lane.SQLITE_WEBHOOK)) == (2, 0)
    assert resumed.segments == [json.loads(json.dumps(asdict(RESULT)))]
    assert resumed.outages == json.loads(json.dumps(asdict(OUTAGES)))
    resumed.add_segment(replace(RESULT, first=2))
    resumed.close()
    assert Checkpoint(path, resume=True).executed(Lane.SQLITE_POLLING) == 4
    assert Checkpoint(path, resume=False).segments == []


def as_json(*results: SegmentResult) -> list[dict[str, Any]]:
    return [json.loads(json.dumps(asdict(result))) for result in results]


def test_figures_are_sums_over_the_segments() -> None:
    found = summarise("sqlite-polling", as_json(RESULT, RESULT))
    assert (found.segments, found.kills, found.texts, found.answered) == (2, 4, 8, 8)
    assert (found.during_work, found.during_call, found.most_calls) == (2, 2, 1)
    assert (found.uncertain_by_kill, found.uncertain_by_cut, found.uncertain_arrived) == (2, 0, 2)
    assert (found.median_recovery, found.longest_recovery) == (2.5, 3.0)
    assert uncertain_replies(as_json(RESULT)) == (
        {"lane": "sqlite-polling", "kills": [0, 1], "chat_id": 8, "answers": 3, "arrived": True, "fault": None},
    )


def test_broken_promises_of_thumbs_are_faults_and_those_of_the_plain_bot_are_not() -> None:
    calls = (call(1, 7, 3), call(2, 7, 1), call(3, 7, 1), call(4, 8, 99))
    broken = replace(RESULT, findings=check(replace(WELL, calls=calls)), unexpected_exits=1, stalled="It stalled.")
    segments = as_json(broken)
    assert thumbs_faults([summarise("sqlite-polling", segments)], None) == (
        "sqlite-polling: 2 texts lost",
        "sqlite-polling: 1 texts answered twice",
        "sqlite-polling: 1 texts answered out of order",
        "sqlite-polling: 1 messages that answer nothing",
        "sqlite-polling: 1 processes ended without being killed",
        "sqlite-polling: It stalled.",
    )
    assert thumbs_faults([summarise("plain-bot", segments)], None) == ()


def test_too_many_uncertain_replies_are_a_fault() -> None:
    assert thumbs_faults([summarise("sqlite-polling", as_json(RESULT))], None) == (
        "1 of 4 replies are uncertain, which is more than 0.5%",
    )
    without_kills = summarise("sqlite-polling", as_json(replace(RESULT, kills=())))
    assert "sqlite-polling: 1 replies are uncertain after 0 kills" in thumbs_faults([without_kills], None)


def test_a_lower_rate_after_an_outage_is_a_fault() -> None:
    slow = replace(OUTAGES, outages=(Outage("Redis killed", 10.0, 9.4, 0.1),))
    assert thumbs_faults([], asdict(OUTAGES)) == ()
    assert thumbs_faults([], asdict(slow)) == ("Redis killed: 9.4 answers a second after it, 10.0 before it",)


def test_the_tables_show_thumbs_beside_the_plain_bot() -> None:
    segments = as_json(RESULT, replace(RESULT, lane="plain-bot", findings=check(WELL)))
    report = DeliveryReport(
        provenance=Provenance("0" * 40, False, "a processor", 2, 4.0, "3.11", "Linux", {}, "2026-11-28T00:00:00"),
        seed=1,
        load=Load(12.0, 120),
        wire_faults=FAULTS,
        lanes={lane: summarise(lane, [one for one in segments if one["lane"] == lane]) for lane in LANES},
        uncertain=uncertain_replies(segments),
        outages=asdict(OUTAGES),
        faults=(),
    )
    text = delivery(json.loads(json.dumps(asdict(report))))
    assert "| Figure | SQLite, polling | Plain bot, polling |" in text
    assert "| Replies listed as uncertain after a kill | 1 | - |" in text
    assert "1 of 4 replies from Thumbs (25.00%) are uncertain" in text
    assert "| Redis killed | 10.0 | 9.6 | **96%** | 0.1 |" in text
