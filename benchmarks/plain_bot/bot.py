"""The plain bot, which uses python-telegram-bot with persistence, and a Celery task for each reply.

Run it with ``python -m benchmarks.plain_bot.bot``.
"""

import os
from pathlib import Path
from typing import Any

from telegram import Update
from telegram.ext import ApplicationBuilder, CallbackContext, MessageHandler, PicklePersistence, filters

from benchmarks.plain_bot.tasks import answer

Context = CallbackContext[Any, Any, Any, Any]


async def enqueue(update: Update, context: Context) -> None:
    """Enqueue the reply to a text, and count the person's texts."""
    message = update.effective_message
    if message is None or message.text is None or context.user_data is None:
        return
    context.user_data["texts"] = context.user_data.get("texts", 0) + 1
    answer.delay(message.chat_id, message.message_id, message.text)


def main() -> None:
    """Poll until stopped."""
    persistence = PicklePersistence(Path(os.environ["DATA_DIR"]) / "plain_bot.pickle")
    application = (
        ApplicationBuilder()
        .token(os.environ["TELEGRAM_TOKEN"])
        .base_url(f"{os.environ['TELEGRAM_API_URL']}/bot")
        .persistence(persistence)
        .build()
    )
    application.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, enqueue))
    application.run_polling(allowed_updates=[Update.MESSAGE], bootstrap_retries=-1)


if __name__ == "__main__":
    main()
