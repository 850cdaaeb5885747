"""The consent ledger, and people's names."""

import pytest
from sqlalchemy import select

from storage.chat.people import upsert_person
from storage.db.database import Database
from storage.db.states import Consent
from storage.db.tables import ConsentRow, PersonRow
from storage.privacy.consent import consent_of, record_consent


def test_the_newest_line_of_the_consent_ledger_is_in_effect(database: Database) -> None:
    with database.unit_of_work() as unit:
        ada, grace = upsert_person(unit, 7, "Ada", "en"), upsert_person(unit, 8, "Grace", "en")
        assert consent_of(unit, ada.id) is Consent.NEVER_ASKED
        for consent in (Consent.ASKED, Consent.GRANTED, Consent.WITHDRAWN, Consent.GRANTED, Consent.WITHDRAWN):
            record_consent(unit, ada.id, consent, "2026-01")
            assert consent_of(unit, ada.id) is consent
        assert consent_of(unit, grace.id) is Consent.NEVER_ASKED
        lines = unit.execute(select(ConsentRow.scope, ConsentRow.wording, ConsentRow.created_at)).all()
    assert len(lines) == 5
    assert all((scope, wording) == ("training", "2026-01") and at.tzinfo for scope, wording, at in lines)


def test_never_asked_cannot_be_recorded(database: Database) -> None:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, 7, "Ada", "en")
        with pytest.raises(ValueError, match="NEVER_ASKED"):
            record_consent(unit, person.id, Consent.NEVER_ASKED, "1")


def test_upserting_a_person_updates_name_and_language(database: Database) -> None:
    with database.unit_of_work() as unit:
        first = upsert_person(unit, 2**42, "Ada", "en")
    with database.unit_of_work() as unit:
        again = upsert_person(unit, 2**42, "Ada L.", None)
        row = unit.scalars(select(PersonRow)).one()
        assert (again.id, unit.cipher.decrypt(row.name), row.language) == (first.id, "Ada L.", None)
