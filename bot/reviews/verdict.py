"""How a verdict reads in the chat, from what the database holds of it."""

from bot.formatting import THUMBS, percent_of
from bot.reviews.buttons import verdict_keyboard
from bot.texts import Texts, fill
from bot.transport.conversation import Incoming, MessageContent
from storage.chat import predictions
from storage.chat.people import Person
from storage.chat.predictions import Prediction
from storage.db.database import UnitOfWork
from storage.db.states import Vote
from storage.feedback import votes


def render_verdict(texts: Texts, prediction: Prediction, judged: Vote | None = None) -> str:
    """Thumb, label, confidence, how the text was read, the version, and the thanks once it is judged; HTML."""
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
    if judged is not None:
        thanks = {
            Vote.RIGHT: texts.judged_right,
            Vote.WRONG: texts.judged_wrong,
            Vote.NEITHER: texts.judged_neither,
        }
        lines += ["", thanks[judged]]
    return "\n".join(lines)


def verdict_content(unit: UnitOfWork, received: Incoming, person: Person, prediction_id: int) -> MessageContent:
    """A verdict as it stands, with what the person said of it. Raises LookupError when there is no such prediction."""
    prediction = predictions.get_prediction(unit, prediction_id)
    if prediction is None:
        raise LookupError(f"prediction {prediction_id} is gone within the unit of work that found it")
    judgement = votes.vote_of(unit, person.id, prediction_id)
    chosen = judgement.vote if judgement else None
    text = render_verdict(received.texts, prediction, chosen)
    return MessageContent(text, verdict_keyboard(received.texts, prediction_id, chosen), prediction_id, person.id)
