"""Decides who may be asked whether a verdict was right."""

from datetime import timedelta
from typing import Final

from storage.chat.predictions import asked_since
from storage.db.database import UnitOfWork
from storage.db.states import Consent
from storage.feedback.label_offers import count_offers
from storage.privacy.consent import consent_of, record_consent

# Scope in the consent ledger for these questions. A person who turned them off has withdrawn consent.
_SCOPE: Final = "questions"
# Minimum time between two questions to the same person.
_PAUSE: Final = timedelta(days=1)
# Number of texts in /label after which a person has helped enough and is no longer asked.
_MANY_OFFERS: Final = 20


def may_ask(unit: UnitOfWork, person_id: int) -> bool:
    """Return whether a person may be asked about the verdict on their next text.

    Only people who consent to training are asked, because otherwise their answers could not be used.
    """
    return (
        consent_of(unit, person_id) is Consent.GRANTED
        and not turned_off(unit, person_id)
        and count_offers(unit, person_id) < _MANY_OFFERS
        and not asked_since(unit, person_id, unit.now() - _PAUSE)
    )


def turn_off(unit: UnitOfWork, person_id: int, wording: str) -> None:
    """Record that a person turned the question off. ``wording`` is the version of the question that they saw."""
    record_consent(unit, person_id, Consent.WITHDRAWN, wording, _SCOPE)


def turn_on(unit: UnitOfWork, person_id: int, wording: str) -> None:
    """Record that a person turned the question on again. ``wording`` is the version of the settings that they saw."""
    record_consent(unit, person_id, Consent.GRANTED, wording, _SCOPE)


def turned_off(unit: UnitOfWork, person_id: int) -> bool:
    """Return whether a person has turned the question off."""
    return consent_of(unit, person_id, _SCOPE) is Consent.WITHDRAWN
