"""Builds the messages that answer a text with the model's own verdict or with the agreed label."""

from secrets import SystemRandom
from typing import Final

from bot.counts import WITHOUT_VERDICT
from bot.formatting import THUMBS
from bot.reviews.buttons import (
    Row,
    abstention_keyboard,
    corrected_keyboard,
    people_row,
    question_row,
    reason_rows,
    verdict_keyboard,
)
from bot.reviews.verdict import render_correction, render_known_correction, render_known_verdict, render_verdict
from bot.sending.replies import MessageContent
from bot.texts import Texts, fill
from core.settings import Settings
from storage.chat import predictions
from storage.chat.people import Person
from storage.chat.predictions import Prediction
from storage.db.database import UnitOfWork
from storage.db.states import Abstention, Reason, Vote
from storage.feedback import questions, votes
from storage.feedback.eligibility import agreed_label
from storage.feedback.votes import OPPOSITE

_RANDOM: Final = SystemRandom()


class VerdictMessages:
    """Builds messages in the caller's unit of work, so that they show the current votes."""

    def __init__(self, settings: Settings) -> None:
        self._quorum = settings.feedback_quorum
        self._admins = frozenset(settings.admin_ids)
        self._question_chance = settings.question_chance

    def new_answer(self, unit: UnitOfWork, texts: Texts, person: Person, prediction_id: int) -> MessageContent:
        """Return the answer to a new text, and decide at random whether to ask if the verdict is right.

        Raise LookupError if the prediction doesn't exist.
        """
        asked = _RANDOM.random() < self._question_chance and questions.may_ask(unit, person.id)
        prediction = _get(unit, prediction_id)
        if self._abstains(unit, person, prediction):
            WITHOUT_VERDICT.labels("not a review").inc()
        elif asked and not self.is_corrected(unit, prediction):
            predictions.mark_asked(unit, prediction_id, self._question_chance)
        return self.answer(unit, texts, person, prediction_id)

    def answer(self, unit: UnitOfWork, texts: Texts, person: Person, prediction_id: int) -> MessageContent:
        """Return the answer to a text, with the person's earlier vote.

        If people agreed on the other label, that label is the answer, and the prediction is marked as corrected. If the
        text doesn't read like a review, the answer says so. Raise LookupError if the prediction doesn't exist.
        """
        prediction = _get(unit, prediction_id)
        if self._abstains(unit, person, prediction):
            keyboard = abstention_keyboard(texts, prediction_id)
            return MessageContent(texts.not_a_review, keyboard, prediction_id, person.id)
        if not self.is_corrected(unit, prediction):
            return self.model_answer(unit, texts, person, prediction)
        predictions.mark_corrected(unit, prediction_id)
        label = OPPOSITE[prediction.label]
        earlier = _earlier_vote(unit, person, prediction, label)
        text = render_known_correction(texts, label, earlier)
        return MessageContent(text, corrected_keyboard(texts, prediction_id, earlier), prediction_id, person.id)

    def model_answer(
        self, unit: UnitOfWork, texts: Texts, person: Person, prediction: Prediction, *, declined: bool = False
    ) -> MessageContent:
        """Return the model's own verdict with the person's earlier vote, any correction, and the question if it is due.

        Leave the question out if the person ``declined`` to answer it.
        """
        earlier = _earlier_vote(unit, person, prediction, prediction.label)
        text, more = render_known_verdict(texts, prediction, earlier, percentages=person.shows_percentages), list[Row]()
        if self.is_corrected(unit, prediction):
            label = OPPOSITE[prediction.label]
            text += f"\n\n{fill(texts.verdict_people_say, thumb=THUMBS[label], label=label)}"
            more = [people_row(texts, prediction.id)]
        elif (
            not declined
            and earlier is None
            and prediction.question_chance is not None
            and not questions.turned_off(unit, person.id)
        ):
            text += f"\n\n{texts.question}"
            more = [question_row(texts, prediction.id)]
        keyboard = verdict_keyboard(texts, prediction.id, earlier, more)
        return MessageContent(text, keyboard, prediction.id, person.id)

    def _abstains(self, unit: UnitOfWork, person: Person, prediction: Prediction) -> bool:
        """Return whether the text doesn't read like a review and nobody, including this person, has labelled it."""
        if prediction.abstention is not Abstention.SHOWN or votes.vote_of(unit, person.id, prediction.id):
            return False
        return agreed_label(unit, prediction.id, self._quorum, self._admins) is None

    def is_corrected(self, unit: UnitOfWork, prediction: Prediction) -> bool:
        """Return whether people agree on the other label for the prediction's text."""
        return agreed_label(unit, prediction.id, self._quorum, self._admins) == OPPOSITE[prediction.label]


def voted_content(  # noqa: PLR0913 - each argument is a separate fact
    texts: Texts,
    person: Person,
    prediction: Prediction,
    vote: Vote | None,
    reason: Reason | None = None,
    *,
    declined: bool = False,
) -> MessageContent:
    """Return the verdict to show after the person votes (with buttons for the reason) or undoes their vote.

    Leave the buttons out if the person ``declined`` to give a reason.
    """
    more = [] if declined else reason_rows(texts, prediction.id, vote, reason)
    text = render_verdict(texts, prediction, vote, percentages=person.shows_percentages)
    if vote is None:
        text += f"\n\n{texts.vote_undone}"
    elif more:
        text += f"\n{texts.reason_noted if reason else texts.reason_question}"
    return MessageContent(text, verdict_keyboard(texts, prediction.id, vote, more), prediction.id, person.id)


def voted_correction(texts: Texts, person: Person, prediction: Prediction, vote: Vote | None) -> MessageContent:
    """Return the correction to show after the person votes on its label or undoes their vote."""
    text = render_correction(texts, OPPOSITE[prediction.label], vote)
    if vote is None:
        text += f"\n\n{texts.vote_undone}"
    return MessageContent(text, corrected_keyboard(texts, prediction.id, vote), prediction.id, person.id)


def _get(unit: UnitOfWork, prediction_id: int) -> Prediction:
    prediction = predictions.get_prediction(unit, prediction_id)
    if prediction is None:
        raise LookupError(f"prediction {prediction_id} vanished during the unit of work that found it")
    return prediction


def _earlier_vote(unit: UnitOfWork, person: Person, prediction: Prediction, label: str) -> Vote | None:
    """Return the person's vote on the prediction's text, converted to a vote on ``label``."""
    stored = votes.vote_of(unit, person.id, prediction.id)
    return stored.vote_on(label) if stored else None
