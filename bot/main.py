"""The process: settings in, a running bot until SIGINT or SIGTERM."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bot.application import Bot
from bot.live_model import LiveModel
from bot.model_loading import Loader, first_model
from bot.store import Store
from bot.swapping import Swapping
from config.logs import set_up_logs
from config.settings import Settings
from ml.language import load_identifier
from storage.database import Database
from storage.encryption import read_keys


def run(settings: Settings) -> None:
    """Run the bot until it is told to stop; raises ThumbsError when it cannot start."""
    set_up_logs(settings.log_level)
    _ = settings.token  # a newcomer without one is told before the model is loaded
    with ExitStack() as open_things, ThreadPoolExecutor(1) as loading:
        # Side by side with the database and the model: most of it is arithmetic that does not hold the interpreter.
        identifier = loading.submit(load_identifier)
        database = Database.open(settings.database_address, read_keys(settings))
        store = Store(database)
        open_things.callback(store.close)
        first = first_model(database, settings)
        model = LiveModel(first.classifier)
        open_things.callback(model.close)
        identifier.result()
        swapping = Swapping(store, model, Loader(settings).load, first.refusal)
        asyncio.run(_run(Bot(settings, store, model, swapping)))


async def _run(bot: Bot) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await bot.run(stop)
