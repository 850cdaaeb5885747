"""Starts a bot from its settings and runs it until SIGINT or SIGTERM."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from prometheus_client import REGISTRY

from bot.application import Bot
from bot.database import AsyncDatabase
from bot.monitoring import BotMonitor
from bot.serving.live_model import LiveModel
from bot.serving.loader import LoadRefusal, ModelLoader, initial_model
from bot.serving.reloader import ModelReloader
from core.logs import configure_logging
from core.monitoring import monitoring_server
from core.settings import Settings
from ml.text.language import load_identifier
from storage.db.database import Database
from storage.db.encryption import read_keys


def run(settings: Settings) -> None:
    """Run the bot until SIGINT or SIGTERM. Raise ThumbsError if it cannot start."""
    configure_logging(settings.log_level, settings.log_format)
    _ = settings.token, settings.webhook_secret_text  # report an invalid one before loading the model
    with ExitStack() as resources, ThreadPoolExecutor(1) as executor:
        # Load the language identifier while the database opens and the model loads, since most of that work runs
        # outside the GIL.
        identifier = executor.submit(load_identifier)
        opened = Database.open(settings.database_address, read_keys(settings))
        database = AsyncDatabase(opened)
        resources.callback(database.close)
        model, refusal = _first_model(opened, settings)
        resources.callback(model.close)
        identifier.result()
        reloader = ModelReloader(database, model, ModelLoader(settings).load, refusal)
        bot = Bot(settings, database, model, reloader)
        monitor = BotMonitor(settings, opened, lambda: model.version, bot.contact)
        REGISTRY.register(monitor)
        # This happens before the first call to Telegram, so that nothing changes there if the port is in use.
        resources.enter_context(monitoring_server(settings, health=monitor.health, ready=monitor.ready))
        asyncio.run(_run(bot, monitor))


def _first_model(database: Database, settings: Settings) -> tuple[LiveModel, LoadRefusal | None]:
    """Load the model that the bot starts with, and return it along with any refusal of the live model.

    Keep no other reference to the model, so that its memory is freed when another model replaces it.
    """
    initial = initial_model(database, settings)
    return LiveModel(initial.classifier), initial.refusal


async def _run(bot: Bot, monitor: BotMonitor) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    monitor.watch(loop)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await bot.run(stop)
