"""Which votes count, and which texts are eligible for training."""

import pytest

from storage.db.database import UnitOfWork
from storage.db.states import Vote
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import eligible_texts
from tests.agreed_texts import (
    ADMIN,
    ADMINS,
    AUTHOR,
    RULES,
    SECOND,
    THIRD,
    StoreReview,
    consent,
    states,
    store_agreed,
    vote,
    withdraw,
)

R, W, N = Vote.RIGHT, Vote.WRONG, Vote.NEITHER


@pytest.mark.parametrize(
    ("votes", "state"),
    [
        ({AUTHOR: R}, ConsensusState.WAITING),
        ({AUTHOR: R, SECOND: R}, ConsensusState.USABLE),
        ({SECOND: W, THIRD: W}, ConsensusState.USABLE),
        ({AUTHOR: R, SECOND: W}, ConsensusState.QUARANTINED),
        ({AUTHOR: R, SECOND: R, THIRD: W}, ConsensusState.QUARANTINED),
        ({AUTHOR: R, SECOND: N}, ConsensusState.QUARANTINED),
        ({AUTHOR: N, SECOND: N}, ConsensusState.SETTLED),
        ({ADMIN: R}, ConsensusState.USABLE),
        ({ADMIN: N}, ConsensusState.SETTLED),
        ({AUTHOR: R, SECOND: W, ADMIN: W}, ConsensusState.USABLE),
        ({AUTHOR: R, SECOND: R, ADMIN: N}, ConsensusState.SETTLED),
    ],
)
def test_the_votes_on_a_text_determine_its_state(
    unit: UnitOfWork, store_review: StoreReview, votes: dict[int, Vote], state: ConsensusState
) -> None:
    review = store_review(unit, "I liked it", telegram_id=AUTHOR)
    for telegram_id, choice in votes.items():
        vote(unit, review.prediction_id, telegram_id, choice)
    assert states(unit) == [state]
    labels = [text.label for text in eligible_texts(unit, RULES.quorum, ADMINS)]
    expected = "Negative" if W in (votes.get(ADMIN), votes.get(THIRD)) else "Positive"
    assert labels == ([expected] if state is ConsensusState.USABLE else [])


def test_a_text_counts_only_while_its_author_consents(unit: UnitOfWork, store_review: StoreReview) -> None:
    store_agreed(unit, store_review, "I liked it")
    assert states(unit) == [ConsensusState.USABLE]
    withdraw(unit, AUTHOR)
    assert states(unit) == []
    consent(unit, AUTHOR)
    assert states(unit) == [ConsensusState.USABLE]


def test_a_vote_counts_only_while_its_voter_consents(unit: UnitOfWork, store_review: StoreReview) -> None:
    store_agreed(unit, store_review, "I liked it")
    vote(unit, store_review(unit, "I liked it", telegram_id=AUTHOR).prediction_id, 10, Vote.WRONG)
    assert states(unit) == [ConsensusState.USABLE], "a person who was never asked for consent disagrees"
    withdraw(unit, SECOND)
    assert states(unit) == [ConsensusState.WAITING]


def test_an_admin_who_withdrew_decides_nothing(unit: UnitOfWork, store_review: StoreReview) -> None:
    review = store_review(unit, "I liked it", telegram_id=AUTHOR)
    vote(unit, review.prediction_id, AUTHOR)
    vote(unit, review.prediction_id, ADMIN, Vote.WRONG)
    assert states(unit) == [ConsensusState.USABLE]
    withdraw(unit, ADMIN)
    assert states(unit) == [ConsensusState.WAITING]


def test_equal_texts_count_as_one_and_belong_to_the_first_consenting_author(
    unit: UnitOfWork, store_review: StoreReview
) -> None:
    hidden = store_review(unit, "I liked it", telegram_id=10)
    vote(unit, hidden.prediction_id, SECOND)
    shown = store_review(unit, "I liked it", telegram_id=AUTHOR)
    vote(unit, shown.prediction_id, AUTHOR)
    (text,) = eligible_texts(unit, RULES.quorum, ADMINS)
    assert (text.voted.message_id, text.voted.author_id) == (shown.message_id, shown.person_id)
    assert len(text.supporters) == 2
