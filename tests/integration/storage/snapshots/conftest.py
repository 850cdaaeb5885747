"""The fixture for tests of eligible texts and snapshots."""

from collections.abc import Iterator

import pytest

from storage.db.database import Database, UnitOfWork
from tests.agreed_texts import AUTHOR, SECOND, THIRD, consent


@pytest.fixture
def unit(database: Database) -> Iterator[UnitOfWork]:
    """A unit of work in which the author and two other people have consented."""
    with database.unit_of_work() as opened:
        for telegram_id in (AUTHOR, SECOND, THIRD):
            consent(opened, telegram_id)
        yield opened
