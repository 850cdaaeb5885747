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


def send(page: Page, text: str) -> None:
    page.locator("#composer").fill(text)
    page.locator("#composer").press("Enter")


def test_a_vote_on_a_verdict_is_stored(demo: Demo, page: Page, request: pytest.FixtureRequest) -> None:
    page.goto(demo.url)
    page.locator("#composer").fill(COMPLAINT)
    page.locator("#send").click()
    expect(page.locator(".bubble.from-bot").last).to_contain_text("Negative")
    send(page, REVIEW)
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


def test_a_reader_asks_why_and_the_admin_labels_the_review_and_looks_at_the_figures(
    demo: Demo, page: Page, request: pytest.FixtureRequest
) -> None:
    newest = page.locator(".bubble.from-bot").last
    page.goto(demo.url)
    page.get_by_role("radio", name="Cleo").click()
    send(page, REVIEW)
    newest.get_by_role("button", name="Why?").click()
    expect(newest).to_contain_text("pulled it up")
    expect(newest.get_by_text("superb", exact=True).first).to_be_visible()
    save_pictures(page, request.config, "why")
    page.locator(".bubble.from-bot").first.get_by_role("button", name="Right", exact=False).click()
    newest.get_by_role("button", name="Yes, learn from me").click()
    expect(newest).to_contain_text("Thank you")
    page.get_by_role("radio", name="Ada").click()
    send(page, "/label")
    newest.get_by_role("button", name="Yes, learn from me").click()
    expect(newest).to_contain_text("the cast is superb")
    newest.get_by_role("button", name="Positive").click()
    send(page, "/stats")
    picture = newest.get_by_role("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 600
    save_pictures(page, request.config, "stats")
