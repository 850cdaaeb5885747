"""Records votes on verdicts and their reasons, and asks for consent after the first vote. Free of Telegram types."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Tap
from bot.privacy.buttons import consent_keyboard
from bot.reviews.buttons import CorrectedTap, QuestionTap, ReasonTap, Shown, VoteTap
from bot.reviews.verdict_messages import VerdictMessages, voted_content, voted_correction
from bot.sending.replies import MessageContent, edit, send
from bot.texts import CONSENT_WORDING, QUESTION_WORDING
from storage.chat import predictions
from storage.chat.people import Person
from storage.chat.predictions import Prediction
from storage.db.database import UnitOfWork
from storage.db.states import Consent, Vote
from storage.feedback import questions, votes
from storage.privacy import consent

# A vote on the label that people agreed on, as a vote on the prediction, which is the other label.
_ON_PREDICTION: Final = {Vote.RIGHT: Vote.WRONG, Vote.WRONG: Vote.RIGHT, Vote.NEITHER: Vote.NEITHER}

Respond = Callable[[UnitOfWork, Person, Prediction], MessageContent]


class VoteRecorder:
    """Handles taps under verdicts. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, verdicts: VerdictMessages) -> None:
        self._database = database
        self._verdicts = verdicts

    async def handle_tap(self, tap: Tap, vote_tap: VoteTap) -> None:
        """Record, change or undo a vote, and show it in the message."""

        def respond(unit: UnitOfWork, person: Person, prediction: Prediction) -> MessageContent:
            _record(unit, person, prediction, vote_tap.vote)
            return voted_content(tap.incoming.texts, person, prediction, vote_tap.vote)

        await self._respond(tap, vote_tap.prediction_id, respond, asks_consent=vote_tap.vote is not None)

    async def handle_corrected_tap(self, tap: Tap, corrected_tap: CorrectedTap) -> None:
        """Record, change or undo a vote on the agreed label, or show the other verdict."""
        texts, action = tap.incoming.texts, corrected_tap.action

        def respond(unit: UnitOfWork, person: Person, prediction: Prediction) -> MessageContent:
            if action is Shown.MODEL:
                return self._verdicts.model_answer(unit, texts, person, prediction)
            if action is Shown.PEOPLE:
                return self._verdicts.answer(unit, texts, person, prediction.id)
            on_prediction = None if action is None else _ON_PREDICTION[action]
            _record(unit, person, prediction, on_prediction)
            if self._verdicts.is_corrected(unit, prediction):
                return voted_correction(texts, person, prediction, action)
            content = voted_content(texts, person, prediction, on_prediction)
            return replace(content, text=f"{texts.corrected_ended}\n\n{content.text}")

        await self._respond(tap, corrected_tap.prediction_id, respond, asks_consent=isinstance(action, Vote))

    async def handle_reason_tap(self, tap: Tap, reason_tap: ReasonTap) -> None:
        """Store the reason for a vote against a verdict, and show it in the message."""

        def respond(unit: UnitOfWork, person: Person, prediction: Prediction) -> MessageContent:
            stored = votes.vote_of(unit, person.id, prediction.id)
            vote = stored.vote_on(prediction.label) if stored else None
            if vote not in {Vote.WRONG, Vote.NEITHER}:
                # The vote has been undone or changed since the message was sent.
                return self._verdicts.answer(unit, tap.incoming.texts, person, prediction.id)
            if reason_tap.reason is None:
                return voted_content(tap.incoming.texts, person, prediction, vote, declined=True)
            votes.record_reason(unit, person.id, prediction.id, reason_tap.reason)
            return voted_content(tap.incoming.texts, person, prediction, vote, reason_tap.reason)

        await self._respond(tap, reason_tap.prediction_id, respond)

    async def handle_question_tap(self, tap: Tap, question_tap: QuestionTap) -> None:
        """Withdraw the question and, if the person wants, never ask them such a question again."""
        texts = tap.incoming.texts

        def respond(unit: UnitOfWork, person: Person, prediction: Prediction) -> MessageContent:
            if not question_tap.never:
                return self._verdicts.model_answer(unit, texts, person, prediction, declined=True)
            if not questions.turned_off(unit, person.id):
                questions.turn_off(unit, person.id, QUESTION_WORDING)
            content = self._verdicts.model_answer(unit, texts, person, prediction)
            return replace(content, text=f"{content.text}\n\n{texts.question_stopped}")

        await self._respond(tap, question_tap.prediction_id, respond)

    async def handle_abstention_tap(self, tap: Tap, prediction_id: int) -> None:
        """Show the model's verdict on a text that didn't read like a review, now that the person says it is one."""

        def respond(unit: UnitOfWork, person: Person, prediction: Prediction) -> MessageContent:
            predictions.overrule_abstention(unit, prediction.id)
            return self._verdicts.answer(unit, tap.incoming.texts, person, prediction.id)

        await self._respond(tap, prediction_id, respond)

    async def _respond(self, tap: Tap, prediction_id: int, respond: Respond, *, asks_consent: bool = False) -> None:
        """Replace the tapped message with the response, unless its text was deleted or edited."""
        incoming = tap.incoming

        def work(unit: UnitOfWork) -> None:
            prediction = predictions.get_prediction(unit, prediction_id)
            if prediction is None or prediction.chat_id != incoming.chat_id:
                edit(unit, incoming, tap.telegram_message_id, MessageContent(incoming.texts.vote_gone))
            else:
                person = incoming.sender.upsert(unit)
                newest = predictions.newest_prediction(unit, prediction.id)
                if newest != prediction.id:
                    # The text was edited before the tap arrived, so the tap is about a text that no longer exists.
                    content = self._verdicts.answer(unit, incoming.texts, person, newest)
                else:
                    content = respond(unit, person, prediction)
                edit(unit, incoming, tap.telegram_message_id, content)
                if asks_consent and newest == prediction.id:
                    _ask_consent_once(unit, incoming, person)
            incoming.finish(unit)

        await self._database.write(work)


def _record(unit: UnitOfWork, person: Person, prediction: Prediction, vote: Vote | None) -> None:
    if vote is None:
        votes.undo_vote(unit, person.id, prediction.id)
    else:
        votes.record_vote(unit, person.id, prediction.id, vote)


def _ask_consent_once(unit: UnitOfWork, incoming: Incoming, person: Person) -> None:
    if consent.consent_of(unit, person.id) is Consent.NEVER_ASKED:
        consent.record_consent(unit, person.id, Consent.ASKED, CONSENT_WORDING)
        keyboard = consent_keyboard(incoming.texts, granted=False)
        send(unit, incoming, MessageContent(incoming.texts.consent_question, keyboard, person_id=person.id))
