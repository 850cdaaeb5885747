"""The plain bot's Celery task, which classifies a text and sends the verdict."""

import asyncio
import os
from functools import cache
from pathlib import Path

from celery import Celery
from telegram import Bot, ReplyParameters
from telegram.error import NetworkError, RetryAfter

from ml.serving.engine import Classifier

app = Celery("plain_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    # Number of seconds after which Redis delivers a dead worker's task again. The default is an hour.
    broker_transport_options={"visibility_timeout": 10},
    broker_connection_retry_on_startup=True,
)


@app.task(autoretry_for=(NetworkError, RetryAfter), retry_backoff=True, retry_jitter=True, max_retries=8)  # type: ignore[untyped-decorator]
def answer(chat_id: int, message_id: int, text: str) -> None:
    """Reply to a text with its verdict."""
    verdict = _classifier().classify([text])[0]
    asyncio.run(_send(chat_id, message_id, f"{verdict.label} · {verdict.confidence:.0%}"))


async def _send(chat_id: int, message_id: int, text: str) -> None:
    async with Bot(os.environ["TELEGRAM_TOKEN"], base_url=f"{os.environ['TELEGRAM_API_URL']}/bot") as bot:
        await bot.send_message(chat_id, text, reply_parameters=ReplyParameters(message_id))


@cache
def _classifier() -> Classifier:
    return Classifier.load(Path(os.environ["MODEL"]), threads=1)
