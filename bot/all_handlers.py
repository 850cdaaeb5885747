"""All of the bot's handlers and commands, in the order in which PTB tries them."""

from typing import Final

from bot.access import Access, Handler
from bot.admin.handlers import COMMANDS as RUN_COMMANDS
from bot.admin.handlers import AdminHandlers
from bot.database import AsyncDatabase
from bot.labelling.handlers import ADMIN_COMMANDS as QUARANTINE_COMMANDS
from bot.labelling.handlers import COMMANDS as LABEL_COMMANDS
from bot.labelling.handlers import LabellerHandlers
from bot.labelling.label import LabellingDialog
from bot.labelling.quarantine import QuarantineDialog
from bot.privacy.consent import PrivacyDialog
from bot.privacy.handlers import COMMANDS as PRIVACY_COMMANDS
from bot.privacy.handlers import PrivacyHandlers
from bot.privacy.history import HistoryDialog
from bot.privacy.settings import SettingsDialog
from bot.receiving.elsewhere import ElsewhereHandler
from bot.reviews.answers import ReviewResponder
from bot.reviews.explanations import ExplanationResponder
from bot.reviews.handlers import COMMANDS as REVIEW_COMMANDS
from bot.reviews.handlers import ReviewHandlers
from bot.reviews.verdict_messages import VerdictMessages
from bot.reviews.votes import VoteRecorder
from bot.serving.live_model import LiveModel
from core.settings import Settings
from storage.privacy.deletions import FILE_NAME, DeletionList

PUBLIC_COMMANDS: Final = (*REVIEW_COMMANDS, *PRIVACY_COMMANDS, *LABEL_COMMANDS)
ADMIN_COMMANDS: Final = (*RUN_COMMANDS, *QUARANTINE_COMMANDS)


def all_handlers(settings: Settings, database: AsyncDatabase, model: LiveModel, access: Access) -> list[Handler]:
    """Return every handler.

    Each update goes to the first handler that matches it, and the last handler matches everything.
    """
    labelling, quarantine = LabellingDialog(database, settings), QuarantineDialog(database, settings)
    deletions = DeletionList(settings.data_dir / FILE_NAME)
    privacy = PrivacyDialog(database, deletions, settings)
    verdicts = VerdictMessages(settings)
    responder, votes = ReviewResponder(database, model, verdicts), VoteRecorder(database, verdicts)
    explanations = ExplanationResponder(database, model, verdicts)
    reviews = ReviewHandlers(access, database, responder, votes, explanations)
    return [
        ElsewhereHandler(reviews.ignore),
        *AdminHandlers(access, database, settings, model).handlers(),
        *LabellerHandlers(access, labelling, quarantine).handlers(),
        *PrivacyHandlers(privacy, HistoryDialog(database, deletions), SettingsDialog(database)).handlers(),
        *reviews.handlers(),
    ]
