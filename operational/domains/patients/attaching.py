"""Attachment of a person to an organisation's site of primary care, with its history."""

from __future__ import annotations

from datetime import date

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from operational.domains.patients import errors, repository
from operational.domains.patients.models import Attachment
from operational.domains.patients.schemas import AttachmentIn
from operational.domains.patients.service import get, require_reason
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.db import give_reason
from operational.kit.errors import constraint_of


def attach(session: Session, patient_id: int, form: AttachmentIn, today: date) -> Attachment:
    """Attach the person to a site from a day on; an attachment that holds on that day ends with it.

    Raises PatientNotFound, MergedRecordFixed, SiteUnknown, AttachmentPeriod,
    ReasonRequired.
    """
    patient = get(session, patient_id)
    if patient.merged_into_id is not None:
        raise errors.MergedRecordFixed
    organisations = sorted(scope_of(session).organisation_ids)
    if form.valid_from > today or (patient.birth_date and form.valid_from < patient.birth_date):
        raise errors.AttachmentPeriod
    offered = repository.sites(session, organisations, form.valid_from)
    site = next((site for site in offered if site.id == form.site_id), None)
    if site is None:
        raise errors.SiteUnknown
    reason = require_reason(form.reason)
    give_reason(session, reason)
    for held in repository.attachments_since(session, patient.id, form.valid_from):
        if held.valid_from >= form.valid_from:
            raise errors.AttachmentPeriod
        repository.end_attachment(session, held, form.valid_from)
    made = Attachment(
        owner_organisation_id=site.organisation_id,
        patient_id=patient.id,
        organisation_id=site.organisation_id,
        site_id=site.id,
        valid_from=form.valid_from,
        reason=reason,
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        if constraint_of(error) != "ex_attachment_period":
            raise
        raise errors.AttachmentPeriod from None
    audit(
        session, "patient.attached", object_table="patient", object_id=patient.id,
        organisation_id=site.organisation_id, reason=reason, detail={"site_id": site.id},
    )  # fmt: skip
    return made
