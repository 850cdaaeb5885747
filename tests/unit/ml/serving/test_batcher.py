"""Callers share batches: the next batch fills while one runs, and a failing text affects only its own callers."""

import queue
import threading
from collections.abc import Iterator, Sequence

import pytest

from ml.serving.batcher import Batcher

WAIT = 10.0
BOUND = 10


class Gate:
    """A classifier that reports each batch, and waits for a permit before it returns."""

    def __init__(self) -> None:
        self.batches: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        self._permits: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def __call__(self, texts: Sequence[str]) -> list[str]:
        self.batches.put(list(texts))
        failure = self._permits.get(timeout=WAIT)
        if failure is not None:
            raise failure
        return [text.upper() for text in texts]

    def permit(self, times: int = 1) -> None:
        for _ in range(times):
            self._permits.put(None)

    def fail(self, error: Exception) -> None:
        self._permits.put(error)

    def next_batch(self) -> list[str]:
        return self.batches.get(timeout=WAIT)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def batcher(gate: Gate) -> Iterator[Batcher[str]]:
    batcher: Batcher[str] = Batcher(gate, BOUND)
    yield batcher
    gate.permit(100)
    batcher.close()


def test_texts_that_arrive_while_a_batch_runs_form_the_next_one(gate: Gate, batcher: Batcher[str]) -> None:
    first = batcher.submit("one")
    assert gate.next_batch() == ["one"]
    others = [batcher.submit(text) for text in ("two", "six", "ten")]
    assert not first.done()
    gate.permit()
    assert first.result(WAIT) == "ONE"
    assert gate.next_batch() == ["two", "six", "ten"]
    gate.permit()
    assert [answer.result(WAIT) for answer in others] == ["TWO", "SIX", "TEN"]


def test_a_batch_is_bounded_by_its_characters_and_nothing_is_lost(gate: Gate, batcher: Batcher[str]) -> None:
    answers = [batcher.submit("a")]
    assert gate.next_batch() == ["a"]
    texts = ["bbbbb", "ccccc", "d", "eeeeeeeeeeeeeee", "ff"]
    answers += [batcher.submit(text) for text in texts]
    gate.permit(5)
    found = [gate.next_batch() for _ in range(4)]
    assert found == [["bbbbb", "ccccc"], ["d"], ["eeeeeeeeeeeeeee"], ["ff"]]
    assert [answer.result(WAIT) for answer in answers] == ["A", *(text.upper() for text in texts)]


def test_a_failure_reaches_only_its_callers_and_the_thread_keeps_running(gate: Gate, batcher: Batcher[str]) -> None:
    before = batcher.submit("a")
    gate.next_batch()
    failing = [batcher.submit("b"), batcher.submit("c")]
    gate.permit()
    assert gate.next_batch() == ["b", "c"]
    after = batcher.submit("d")
    for message in ("no room for two", "no room for b", "no room for c"):
        gate.fail(MemoryError(message))
    gate.permit()
    assert before.result(WAIT) == "A"
    for answer, message in zip(failing, ("no room for b", "no room for c"), strict=True):
        with pytest.raises(MemoryError, match=message):
            answer.result(WAIT)
    assert after.result(WAIT) == "D"
    gate.permit()
    assert batcher.submit("e").result(WAIT) == "E"


def test_only_the_failing_text_fails(gate: Gate, batcher: Batcher[str]) -> None:
    before = batcher.submit("a")
    gate.next_batch()
    answers = [batcher.submit(text) for text in ("b", "c", "d")]
    gate.permit()
    gate.fail(ValueError("one of three"))
    gate.permit()
    gate.fail(ValueError("c"))
    gate.permit()
    assert before.result(WAIT) == "A"
    assert [answers[0].result(WAIT), answers[2].result(WAIT)] == ["B", "D"]
    with pytest.raises(ValueError, match=r"^c$"):
        answers[1].result(WAIT)
    assert [gate.next_batch() for _ in range(4)] == [["b", "c", "d"], ["b"], ["c"], ["d"]]


def test_a_text_that_fails_alone_is_not_retried(gate: Gate, batcher: Batcher[str]) -> None:
    answer = batcher.submit("a")
    gate.fail(ValueError("a"))
    with pytest.raises(ValueError, match=r"^a$"):
        answer.result(WAIT)
    assert gate.next_batch() == ["a"]
    assert gate.batches.empty()


def test_too_few_results_fail_their_callers_and_the_thread_keeps_running() -> None:
    batcher: Batcher[str] = Batcher(lambda texts: list(texts)[1:], BOUND)
    first, second = batcher.submit("a"), batcher.submit("b")
    for answer in (first, second):
        with pytest.raises(ValueError, match="zip"):
            answer.result(WAIT)
    batcher.close()


def test_a_cancelled_text_is_skipped(gate: Gate, batcher: Batcher[str]) -> None:
    first = batcher.submit("a")
    gate.next_batch()
    cancelled, remaining = batcher.submit("b"), batcher.submit("c")
    assert cancelled.cancel()
    gate.permit(2)
    assert first.result(WAIT) == "A"
    assert remaining.result(WAIT) == "C"
    assert gate.next_batch() == ["c"]


def test_a_batch_of_cancelled_texts_is_not_classified(gate: Gate, batcher: Batcher[str]) -> None:
    batcher.submit("a")
    gate.next_batch()
    assert batcher.submit("b").cancel()
    gate.permit()
    # Together with "b", this text exceeds the limit, so it forms a separate batch.
    last = batcher.submit("c" * BOUND)
    gate.permit()
    assert last.result(WAIT) == "C" * BOUND
    assert gate.next_batch() == ["c" * BOUND]


@pytest.mark.parametrize("texts", [["bb"], ["bb", "cc"], ["b" * BOUND, "c" * BOUND]])
def test_closing_finishes_pending_texts(texts: list[str]) -> None:
    gate = Gate()
    threads = set(threading.enumerate())
    batcher: Batcher[str] = Batcher(gate, BOUND)
    answers = [batcher.submit("a")]
    gate.next_batch()
    answers += [batcher.submit(text) for text in texts]
    gate.permit(1 + len(texts))
    batcher.close()
    assert [answer.done() for answer in answers] == [True] * len(answers)
    assert [answer.result() for answer in answers] == ["A", *(text.upper() for text in texts)]
    assert set(threading.enumerate()) <= threads


def test_an_idle_batcher_closes_at_once() -> None:
    Batcher(Gate(), BOUND).close()


def test_a_text_after_the_end_is_refused_and_does_not_wait_forever(gate: Gate, batcher: Batcher[str]) -> None:
    before = batcher.submit("a")
    gate.permit()
    batcher.close()
    assert before.result(WAIT) == "A"
    with pytest.raises(RuntimeError, match="the batcher is closed"):
        batcher.submit("b")
