"""``/settings`` controls what the bot shows a person and when it messages them. Free of Telegram types."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.buttons import Keyboard, TapKind, make_button, make_keyboard
from bot.database import AsyncDatabase
from bot.incoming import Incoming, Tap
from bot.sending.replies import MessageContent, edit, send
from bot.texts import SETTINGS_WORDING, Texts
from storage.chat import people
from storage.chat.people import Person
from storage.db.database import UnitOfWork
from storage.db.states import Consent
from storage.feedback import questions
from storage.privacy import consent


class Setting(StrEnum):
    """A setting that a person can turn on and off."""

    PERCENTAGES = "percent"
    NOTICES = "notices"
    QUESTIONS = "questions"


SETTINGS_PATTERN: Final = rf"^{TapKind.SETTINGS}:({'|'.join(Setting)}):(on|off)\Z"


@dataclass(frozen=True, slots=True)
class SettingsTap:
    """A tap that turns a setting on or off."""

    setting: Setting
    on: bool


def parse_settings_tap(data: str) -> SettingsTap:
    """Parse data that matches SETTINGS_PATTERN."""
    _, setting, word = data.split(":")
    return SettingsTap(Setting(setting), word == "on")


def settings_keyboard(texts: Texts, chosen: dict[Setting, bool]) -> Keyboard:
    """Return one button for each setting, which shows its value and changes it."""
    labels = {
        Setting.PERCENTAGES: (texts.settings_percentages_on, texts.settings_percentages_off),
        Setting.NOTICES: (texts.settings_notices_on, texts.settings_notices_off),
        Setting.QUESTIONS: (texts.settings_questions_on, texts.settings_questions_off),
    }
    rows = []
    for setting, (on, off) in labels.items():
        label, change = (on, "off") if chosen[setting] else (off, "on")
        rows.append([make_button(label, f"{TapKind.SETTINGS}:{setting}:{change}")])
    return make_keyboard(rows)


class SettingsDialog:
    """Shows and changes a person's settings. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase) -> None:
        self._database = database

    async def start(self, incoming: Incoming) -> None:
        """Show the settings in a new message."""

        def work(unit: UnitOfWork) -> None:
            send(unit, incoming, _content(unit, incoming, incoming.sender.upsert(unit)))
            incoming.finish(unit)

        await self._database.write(work)

    async def handle_tap(self, tap: Tap, settings_tap: SettingsTap) -> None:
        """Change a setting, and show the settings in the tapped message."""

        def work(unit: UnitOfWork) -> None:
            incoming = tap.incoming
            _change(unit, incoming, incoming.sender.upsert(unit).id, settings_tap)
            edit(unit, incoming, tap.telegram_message_id, _content(unit, incoming, incoming.sender.upsert(unit)))
            incoming.finish(unit)

        await self._database.write(work)


def _change(unit: UnitOfWork, incoming: Incoming, person_id: int, tap: SettingsTap) -> None:
    if tap.setting is Setting.PERCENTAGES:
        people.show_percentages(unit, person_id, tap.on)
    elif tap.setting is Setting.NOTICES:
        answer = Consent.GRANTED if tap.on else Consent.WITHDRAWN
        scope = consent.notification_scope(incoming.bot_id)
        consent.record_consent(unit, person_id, answer, SETTINGS_WORDING, scope)
    elif tap.on:
        questions.turn_on(unit, person_id, SETTINGS_WORDING)
    else:
        questions.turn_off(unit, person_id, SETTINGS_WORDING)


def _content(unit: UnitOfWork, incoming: Incoming, person: Person) -> MessageContent:
    notices = consent.consent_of(unit, person.id, consent.notification_scope(incoming.bot_id))
    chosen = {
        Setting.PERCENTAGES: person.shows_percentages,
        Setting.NOTICES: notices is Consent.GRANTED,
        Setting.QUESTIONS: not questions.turned_off(unit, person.id),
    }
    return MessageContent(incoming.texts.settings, settings_keyboard(incoming.texts, chosen), person_id=person.id)
