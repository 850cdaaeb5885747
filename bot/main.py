"""The process: settings in, a running bot until SIGINT or SIGTERM."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bot.application import Bot
from bot.database import AsyncDatabase
from bot.serving.live_model import LiveModel
from bot.serving.loader import ModelLoader, initial_model
from bot.serving.reloader import ModelReloader
from core.logs import configure_logging
from core.settings import Settings
from ml.text.language import load_identifier
from storage.db.database import Database
from storage.db.encryption import read_keys


def run(settings: Settings) -> None:
    """Run the bot until it is told to stop; raises ThumbsError when it cannot start."""
    configure_logging(settings.log_level)
    _ = settings.token  # a newcomer without one is told before the model is loaded
    with ExitStack() as open_things, ThreadPoolExecutor(1) as loading:
        # Side by side with the database and the model: most of it is arithmetic that does not hold the interpreter.
        identifier = loading.submit(load_identifier)
        database = Database.open(settings.database_address, read_keys(settings))
        store = AsyncDatabase(database)
        open_things.callback(store.close)
        first = initial_model(database, settings)
        model = LiveModel(first.classifier)
        open_things.callback(model.close)
        identifier.result()
        swapping = ModelReloader(store, model, ModelLoader(settings).load, first.refusal)
        asyncio.run(_run(Bot(settings, store, model, swapping)))


async def _run(bot: Bot) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await bot.run(stop)
