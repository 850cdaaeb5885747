"""The made-up rows that /stats is timed with are rows that /stats counts."""

from benchmarks.stats.fill import VERSIONS, Size, fill
from bot.admin.statistics_page import read_figures
from storage.db.database import Database


def test_the_figures_count_the_rows(database: Database) -> None:
    size = Size(messages=3_000, people=30, votes=300, days=30)
    with database.unit_of_work() as unit:
        fill(unit, size)
    with database.reading() as unit:
        figures = read_figures(unit)
    # The oldest messages are from the 31st day, counted from today.
    assert 2_850 < sum(day["messages"] for day in figures["days"]) <= size.messages
    assert all(day["people"] == size.people for day in figures["days"][1:-1])
    assert figures["people"] == size.people
    votes = [version["right"] + version["wrong"] + version["neither"] for version in figures["agreement"]]
    assert {version["version"] for version in figures["agreement"]} == set(VERSIONS)
    assert sum(votes) == size.votes
