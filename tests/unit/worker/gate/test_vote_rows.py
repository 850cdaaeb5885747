"""The evidence that rows of votes add up to."""

from itertools import product

from worker.gate.vote_rows import VoteRow, vote_evidence


def test_no_rows_give_no_evidence() -> None:
    assert vote_evidence([]) is None


def test_each_row_counts_once() -> None:
    pairs = [*product((True, False), repeat=2), (False, True)]
    evidence = vote_evidence([VoteRow(number, "Positive", *pair) for number, pair in enumerate(pairs)])
    assert evidence is not None
    assert (evidence.texts, evidence.champion_right, evidence.candidate_right) == (5, 2, 3)
    assert (evidence.negative_flips, evidence.positive_flips) == (1, 2)
