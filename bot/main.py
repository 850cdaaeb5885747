"""The process: settings in, a running bot until SIGINT or SIGTERM."""

import asyncio
import signal

from bot.application import Bot
from bot.live_model import LiveModel
from bot.store import Store
from config.logs import set_up_logs
from config.settings import Settings
from ml.language import load_identifier
from storage.database import Database
from storage.encryption import read_keys


def run(settings: Settings) -> None:
    """Run the bot until it is told to stop; raises ThumbsError when it cannot start."""
    set_up_logs(settings.log_level)
    database = Database.open(settings.database_address, read_keys(settings))
    store = Store(database)
    try:
        model = LiveModel.load(settings.model, settings.serving_threads)
        load_identifier()
        try:
            asyncio.run(_run(Bot(settings, store, model)))
        finally:
            model.close()
    finally:
        store.close()


async def _run(bot: Bot) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await bot.run(stop)
