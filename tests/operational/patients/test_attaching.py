"""Attachment to a site: one at a time, with its history."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from operational.domains.patients import attaching, errors, repository
from operational.domains.patients.schemas import AttachmentIn
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from tests.operational.patients.builders import TODAY, registered


def _to(site: int, day: date, reason: str = "Тіркелу туралы өтініш") -> AttachmentIn:
    return AttachmentIn(site_id=site, valid_from=day, reason=reason)


def test_move_ends_the_old_attachment_and_begins_the_new(session: Session, scope: Scope, world: dict[str, int]) -> None:
    patient = registered(session)
    attaching.attach(session, patient.id, _to(world["site"], date(2026, 1, 10)), TODAY)
    elsewhere = Scope(scope.user_id, frozenset({world["other"]}), home_organisation_id=world["other"])
    apply_scope(session, elsewhere)
    with pytest.raises(errors.PatientNotFound):
        attaching.attach(session, patient.id, _to(world["other_site"], date(2026, 3, 1)), TODAY)
    repository.open_person(session, patient.id, world["other"], "Көшіп келді")
    attaching.attach(session, patient.id, _to(world["other_site"], date(2026, 3, 1)), TODAY)
    rows = repository.attachments(session, [patient.id])
    assert [(row.attachment.site_id, row.attachment.valid_from, row.attachment.valid_to) for row in rows] == [
        (world["other_site"], date(2026, 3, 1), None),
        (world["site"], date(2026, 1, 10), date(2026, 3, 1)),
    ]
    assert rows[0].organisation_ru == "Организация other"
    apply_scope(session, scope)
    assert len(repository.attachments(session, [patient.id])) == 2


def test_refused(session: Session, world: dict[str, int]) -> None:
    patient = registered(session, birth_date=date(2020, 1, 1))
    attaching.attach(session, patient.id, _to(world["site"], date(2026, 1, 10)), TODAY)
    for day in (date(2026, 1, 10), date(2026, 1, 9), date(2026, 11, 25), date(2019, 12, 31)):
        with pytest.raises(errors.AttachmentPeriod) as caught:
            attaching.attach(session, patient.id, _to(world["site"], day), TODAY)
        assert caught.value.field == "valid_from"
    with pytest.raises(errors.SiteUnknown):
        attaching.attach(session, patient.id, _to(world["other_site"], date(2026, 2, 1)), TODAY)
    with pytest.raises(errors.ReasonRequired):
        attaching.attach(session, patient.id, _to(world["site"], date(2026, 2, 1), ""), TODAY)
    assert len(repository.attachments(session, [patient.id])) == 1


def test_database_refuses_two_attachments_at_once(session: Session, world: dict[str, int]) -> None:
    patient = registered(session)
    attaching.attach(session, patient.id, _to(world["site"], date(2026, 1, 10)), TODAY)
    insert = text(
        "insert into attachment (owner_organisation_id, patient_id, organisation_id, site_id, valid_from, valid_to)"
        " values (:o, :p, :o, :s, :from, :to)"
    )
    values = {"o": world["polyclinic"], "p": patient.id, "s": world["site"]}
    for begins, ends, constraint in (
        (date(2026, 5, 1), None, "ex_attachment_period"),
        (date(2025, 5, 1), date(2025, 5, 1), "ck_attachment_validity"),
    ):
        with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
            session.execute(insert, values | {"from": begins, "to": ends})
