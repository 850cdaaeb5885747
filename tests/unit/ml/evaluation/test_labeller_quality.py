"""Labeller quality, estimated from votes on shared texts."""

import random

from ml.evaluation.labeller_quality import MIN_VOTES, labeller_qualities
from storage.feedback.eligibility import SharedVote

CARELESS = 1


def simulated_votes(people: int, texts: int) -> list[SharedVote]:
    """Simulate labellers who are right 95% of the time, and a careless labeller who is right 55% of the time."""
    rng = random.Random(7)
    labels = ["Positive", "Negative"]
    votes = []
    for text in range(texts):
        truth = text % 2
        for person in range(1, people + 1):
            wrong = rng.random() < (0.45 if person == CARELESS else 0.05)
            votes.append(SharedVote(person, bytes([text]), labels[truth ^ wrong]))
    return votes


def test_the_careless_labeller_comes_first() -> None:
    qualities = labeller_qualities(simulated_votes(6, 100))
    assert [quality.person_id for quality in qualities[:1]] == [CARELESS]
    assert 0.4 < qualities[0].accuracy < 0.7
    assert all(0.88 < quality.accuracy <= 1 for quality in qualities[1:])
    assert {quality.votes for quality in qualities} == {100}


def test_neither_counts_as_a_label() -> None:
    votes = [*simulated_votes(5, 60), *(SharedVote(person, b"blank", None) for person in range(1, 6))]
    assert len(labeller_qualities(votes)) == 5


def test_too_few_labellers_or_votes_give_no_estimate() -> None:
    assert labeller_qualities(simulated_votes(4, 100)) == []
    assert labeller_qualities(simulated_votes(6, MIN_VOTES - 1)) == []
    assert labeller_qualities([]) == []
