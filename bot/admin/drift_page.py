"""``/drift``: how people's texts differ from the training data, as a picture with one sentence. Free of Telegram."""

from bot.admin.drift import Drift, figures, read_drift, sentence
from bot.database import AsyncDatabase
from bot.incoming import Incoming
from bot.pictures.child import draw
from bot.sending.replies import MessageContent, send
from bot.serving.live_model import LiveModel
from bot.texts import Texts
from storage.db.database import UnitOfWork


class DriftPage:
    """Shows the drift to admins. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, model: LiveModel) -> None:
        self._database = database
        self._model = model

    async def show(self, incoming: Incoming) -> None:
        """Send a picture of the last weeks, with a sentence about the last seven days."""
        version, training = self._model.version, self._model.manifest.inputs
        drift = await self._database.read(lambda unit: read_drift(unit, version, training, unit.now()))
        content = await drift_content(incoming.texts, drift)

        def work(unit: UnitOfWork) -> None:
            send(unit, incoming, content)
            incoming.finish(unit)

        await self._database.write(work)


async def drift_content(texts: Texts, drift: Drift) -> MessageContent:
    """Return the message that shows the drift: a picture, or only the sentence if no week has any counts."""
    text = sentence(texts, drift)
    if not any(drift.weeks):
        return MessageContent(text)
    return MessageContent(text, photo=await draw("drift", figures(drift)))
