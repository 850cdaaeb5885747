"""The worker's metrics and health checks, with figures that are read from the database at each scrape."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from kombu.exceptions import OperationalError
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from broker.queues import broker_problem, queue_length
from core.errors import ThumbsError
from core.monitoring import Problems, counts_by_label
from core.settings import Settings
from storage.overview import LearningOverview, learning_overview
from worker.brief_database import brief_database


class WorkerMonitor(Collector):
    """Reads the metrics when they are scraped, in the metrics server's threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterable[Metric]:
        """Yield the current metrics. Metrics that cannot be read are left out, and the matching ``_up`` metric is 0."""
        found = waiting = None
        with suppress(ThumbsError, SQLAlchemyError):
            found = self._overview()
        # If the broker does not respond, counting the messages would retry for many seconds.
        if broker_problem(self._settings) is None:
            with suppress(OperationalError, OSError):
                waiting = queue_length(self._settings)
        yield GaugeMetricFamily("thumbs_database_up", "1 if the database responds.", found is not None)
        yield GaugeMetricFamily("thumbs_broker_up", "1 if the broker responds.", waiting is not None)
        if waiting is not None:
            yield GaugeMetricFamily("thumbs_run_messages", "Messages about runs that no worker has picked up.", waiting)
        if found is not None:
            yield from _learning_metrics(found)

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering the collector does not read the database."""
        return ()

    def ready(self) -> Problems:
        """Check the database and the broker."""
        return {"database": self._database_problem(), "broker": broker_problem(self._settings)}

    def _overview(self) -> LearningOverview:
        with brief_database(self._settings) as database, database.reading() as unit:
            return learning_overview(unit)

    def _database_problem(self) -> str | None:
        try:
            self._overview()
        except ThumbsError as error:
            return str(error)
        except SQLAlchemyError as error:
            return type(error).__name__
        return None


def _learning_metrics(found: LearningOverview) -> Iterable[Metric]:
    yield counts_by_label("thumbs_runs", "Training runs by state, including the gate's decision.", "state", found.runs)
    yield counts_by_label("thumbs_votes", "Votes on predictions.", "vote", found.votes)
    versions = Counter(bot.version for bot in found.bots)
    yield counts_by_label("thumbs_bots", "Running bot processes by the version that they serve.", "version", versions)
    refusals = sum(bot.refused_version is not None for bot in found.bots)
    yield GaugeMetricFamily("thumbs_model_refusals", "Running bots that refused to load the live model.", refusals)
    lease = found.lease_until.timestamp() if found.lease_until else 0
    yield GaugeMetricFamily("thumbs_run_lease_expiry_seconds", "Unix time when the open run's lease expires.", lease)
    run = found.open_run
    yield GaugeMetricFamily("thumbs_run_step", "Training steps completed by the open run.", run.step if run else 0)
    yield GaugeMetricFamily("thumbs_run_steps", "Total training steps of the open run.", (run.steps or 0) if run else 0)
