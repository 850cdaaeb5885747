"""The chat page in a real browser, used the way a new user would use it."""

import pytest
from demo_process import Demo
from e2e_options import save_pictures
from playwright.sync_api import Page, expect
from sqlalchemy import select

from core.settings import Settings
from storage.db.database import Database
from storage.db.encryption import read_keys
from storage.db.tables import VoteRow

REVIEW = "The second act drags a little, but the cast is superb and the ending moved me to tears. Go and see it!"
COMPLAINT = "Two hours of wooden acting and tired jokes. A dreadful film, and a complete waste of an evening."


def test_a_vote_on_a_verdict_is_stored(demo: Demo, page: Page, request: pytest.FixtureRequest) -> None:
    page.goto(demo.url)
    page.locator("#composer").fill(COMPLAINT)
    page.locator("#send").click()
    expect(page.locator(".bubble.from-bot").last).to_contain_text("Negative")
    page.locator("#composer").fill(REVIEW)
    page.locator("#composer").press("Enter")
    verdict = page.locator(".bubble.from-bot").nth(1)
    expect(verdict).to_contain_text("Positive")
    verdict.get_by_role("button", name="Wrong").click()
    expect(verdict).to_contain_text("Thank you for the correction!")
    expect(page.locator(".bubble.from-bot").last).to_contain_text("May I learn from it?")
    settings = Settings(data_dir=demo.data_dir, encryption_key_file=demo.data_dir / "encryption.key", _env_file=None)
    database = Database.open(settings.database_address, read_keys(settings))
    with database.reading() as unit:
        assert [(row.verdict, row.label) for row in unit.scalars(select(VoteRow))] == [("wrong", "Negative")]
    database.close()
    save_pictures(page, request.config)
