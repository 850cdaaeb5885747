"""Renders stored predictions as verdicts."""

from bot.formatting import THUMBS, percent_of
from bot.incoming import Incoming
from bot.reviews.buttons import verdict_keyboard
from bot.sending.replies import MessageContent
from bot.texts import Texts, fill
from storage.chat import predictions
from storage.chat.people import Person
from storage.chat.predictions import Prediction
from storage.db.database import UnitOfWork
from storage.db.states import Vote
from storage.feedback import votes


def render_verdict(texts: Texts, prediction: Prediction, vote: Vote | None = None) -> str:
    """Return the verdict as HTML, with a thank-you if the person has voted."""
    thanks = {Vote.RIGHT: texts.voted_right, Vote.WRONG: texts.voted_wrong, Vote.NEITHER: texts.voted_neither}
    return _render(texts, prediction, thanks[vote] if vote is not None else None)


def _render(texts: Texts, prediction: Prediction, note: str | None) -> str:
    """Return the thumb, label, confidence, number of windows and version, with a note about a vote, as HTML."""
    answer = fill(
        texts.verdict_sure if prediction.sure else texts.verdict_unsure,
        thumb=THUMBS[prediction.label],
        label=prediction.label,
        percent=percent_of(prediction.confidence),
    )
    lines = [answer]
    if prediction.windows > 1:
        lines.append(fill(texts.windows, windows=prediction.windows))
    lines.append(fill(texts.version, version=prediction.version))
    if note is not None:
        lines += ["", note]
    return "\n".join(lines)


def verdict_content(unit: UnitOfWork, incoming: Incoming, person: Person, prediction_id: int) -> MessageContent:
    """Return a prediction's verdict with the person's earlier vote.

    Raise LookupError if the prediction doesn't exist.
    """
    prediction = predictions.get_prediction(unit, prediction_id)
    if prediction is None:
        raise LookupError(f"prediction {prediction_id} vanished during the unit of work that found it")
    stored = votes.vote_of(unit, person.id, prediction_id)
    chosen = stored.vote_on(prediction.label) if stored else None
    texts = incoming.texts
    earlier = {
        None: None,
        Vote.RIGHT: texts.voted_earlier_right,
        Vote.WRONG: texts.voted_earlier_wrong,
        Vote.NEITHER: texts.voted_earlier_neither,
    }
    text = _render(texts, prediction, earlier[chosen])
    return MessageContent(text, verdict_keyboard(texts, prediction_id, chosen), prediction_id, person.id)
