"""Queries on visits and their parts. Row-level security narrows each to the acting user's organisations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from operational.domains.catalogs.models import CodedValue, Icd10, Service, ServiceTariff
from operational.domains.encounters.models import (
    Condition,
    DocumentDraft,
    Encounter,
    Procedure,
    ServiceRequest,
    SignedDocument,
)
from operational.domains.organisation.models import (
    Organisation,
    OrganisationVersion,
    Practitioner,
    PractitionerRole,
)
from operational.domains.patients.models import Patient
from operational.domains.scheduling.models import Appointment

CODING_LEVELS = ("category", "subcategory", "ru_subdivision")


def encounter(session: Session, key: int, *, lock: bool = False) -> Encounter | None:
    query = select(Encounter).where(Encounter.id == key)
    return session.scalar(query.with_for_update() if lock else query)


def patient(session: Session, key: int) -> Patient | None:
    return session.get(Patient, key)


def appointment(session: Session, key: int, *, lock: bool = False) -> Appointment | None:
    query = select(Appointment).where(Appointment.id == key)
    return session.scalar(query.with_for_update() if lock else query)


def role_on(
    session: Session, practitioner_id: int, organisation_ids: frozenset[int], day: date
) -> PractitionerRole | None:
    """The practitioner's position on a day in one of the organisations; the newest when there are several."""
    return session.scalar(
        select(PractitionerRole)
        .where(
            PractitionerRole.practitioner_id == practitioner_id,
            PractitionerRole.organisation_id.in_(organisation_ids),
            PractitionerRole.valid_from <= day,
            or_(PractitionerRole.valid_to.is_(None), PractitionerRole.valid_to > day),
        )
        .order_by(PractitionerRole.valid_from.desc())
        .limit(1)
    )


def role(session: Session, key: int) -> PractitionerRole | None:
    return session.get(PractitionerRole, key)


def practitioner(session: Session, key: int) -> Practitioner | None:
    return session.get(Practitioner, key)


def conditions(session: Session, encounter_id: int) -> Sequence[tuple[Condition, Icd10]]:
    """The visit's diagnoses that are not voided, the main one first."""
    rows = session.execute(
        select(Condition, Icd10)
        .join(Icd10, Icd10.code == Condition.icd10_code)
        .where(Condition.encounter_id == encounter_id, Condition.voided_at.is_(None))
        .order_by(case((Condition.rank == "main", 0), (Condition.rank == "complication", 1), else_=2), Condition.id)
    )
    return [(row[0], row[1]) for row in rows]


def procedures(session: Session, encounter_id: int) -> Sequence[tuple[Procedure, Service]]:
    rows = session.execute(
        select(Procedure, Service)
        .join(Service, Service.code == Procedure.service_code)
        .where(Procedure.encounter_id == encounter_id, Procedure.voided_at.is_(None))
        .order_by(Procedure.id)
    )
    return [(row[0], row[1]) for row in rows]


def referrals(session: Session, encounter_id: int) -> Sequence[tuple[ServiceRequest, Service | None]]:
    rows = session.execute(
        select(ServiceRequest, Service)
        .outerjoin(Service, Service.code == ServiceRequest.service_code)
        .where(ServiceRequest.encounter_id == encounter_id)
        .order_by(ServiceRequest.id)
    )
    return [(row[0], row[1]) for row in rows]


def condition(session: Session, encounter_id: int, key: int) -> Condition | None:
    return session.scalar(select(Condition).where(Condition.id == key, Condition.encounter_id == encounter_id))


def procedure(session: Session, encounter_id: int, key: int) -> Procedure | None:
    return session.scalar(select(Procedure).where(Procedure.id == key, Procedure.encounter_id == encounter_id))


def referral(session: Session, encounter_id: int, key: int) -> ServiceRequest | None:
    return session.scalar(
        select(ServiceRequest).where(ServiceRequest.id == key, ServiceRequest.encounter_id == encounter_id)
    )


def icd10(session: Session, code: str) -> Icd10 | None:
    """A code that a diagnosis may be coded with."""
    return session.scalar(select(Icd10).where(Icd10.code == code, Icd10.active, Icd10.level.in_(CODING_LEVELS)))


def service(session: Session, code: str, day: date) -> tuple[Service, Decimal | None] | None:
    """A service in force on the day with its tariff of the day."""
    row = session.execute(
        select(Service, ServiceTariff.amount_kzt)
        .outerjoin(
            ServiceTariff,
            (ServiceTariff.service_code == Service.code)
            & (ServiceTariff.valid_from <= day)
            & or_(ServiceTariff.valid_to.is_(None), ServiceTariff.valid_to > day),
        )
        .where(
            Service.code == code,
            Service.active,
            Service.valid_from <= day,
            or_(Service.valid_to.is_(None), Service.valid_to > day),
        )
    ).first()
    return None if row is None else (row[0], row[1])


def had_visit_before(session: Session, patient_id: int, specialty: str, since: date, before: datetime) -> bool:
    """Whether the person saw this specialty from a day up to a moment: the visit then is a repeat one."""
    found = session.scalar(
        select(Encounter.id)
        .join(PractitionerRole, PractitionerRole.id == Encounter.practitioner_role_id)
        .where(
            Encounter.patient_id == patient_id,
            Encounter.voided_at.is_(None),
            Encounter.started_at >= since,
            Encounter.started_at < before,
            PractitionerRole.specialty_code == specialty,
        )
        .limit(1)
    )
    return found is not None


def documents(session: Session, encounter_id: int) -> Sequence[SignedDocument]:
    return session.scalars(
        select(SignedDocument).where(SignedDocument.encounter_id == encounter_id).order_by(SignedDocument.version)
    ).all()


def coded_values(session: Session, directory: str) -> Sequence[CodedValue]:
    return session.scalars(
        select(CodedValue)
        .where(CodedValue.directory_code == directory, CodedValue.active)
        .order_by(CodedValue.sort_order, CodedValue.code)
    ).all()


def coded_exists(session: Session, directory: str, code: str) -> bool:
    """Whether the code stands in the directory; an empty directory refuses nothing."""
    known = select(CodedValue.id).where(CodedValue.directory_code == directory, CodedValue.active)
    if session.scalar(known.where(CodedValue.code == code).limit(1)) is not None:
        return True
    return session.scalar(known.limit(1)) is None


def organisations(session: Session, day: date) -> Sequence[tuple[int, OrganisationVersion]]:
    """The organisations that a patient can be referred to, with their names of the day."""
    rows = session.execute(
        select(Organisation.id, OrganisationVersion)
        .join(OrganisationVersion, OrganisationVersion.organisation_id == Organisation.id)
        .where(
            Organisation.kind.in_(("hospital", "polyclinic", "rural")),
            OrganisationVersion.valid_from <= day,
            or_(OrganisationVersion.valid_to.is_(None), OrganisationVersion.valid_to > day),
        )
        .order_by(OrganisationVersion.name_ru)
    )
    return [(row[0], row[1]) for row in rows]


def visits_of(
    session: Session, patient_ids: Sequence[int], *, limit: int
) -> Sequence[tuple[Encounter, Practitioner, str | None]]:
    """The newest visits of these records with the doctor and the main diagnosis."""
    main = (
        select(Condition.icd10_code)
        .where(Condition.encounter_id == Encounter.id, Condition.rank == "main", Condition.voided_at.is_(None))
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Encounter, Practitioner, main)
        .join(Practitioner, Practitioner.id == Encounter.practitioner_id)
        .where(Encounter.patient_id.in_(patient_ids))
        .order_by(Encounter.started_at.desc())
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def count_visits(session: Session, patient_ids: Sequence[int]) -> int:
    return int(
        session.scalar(select(func.count()).select_from(Encounter).where(Encounter.patient_id.in_(patient_ids))) or 0
    )


def draft(session: Session, author_id: int, form_key: str, subject_key: str) -> DocumentDraft | None:
    return session.scalar(
        select(DocumentDraft).where(
            DocumentDraft.author_id == author_id,
            DocumentDraft.form_key == form_key,
            DocumentDraft.subject_key == subject_key,
        )
    )


def count_open_visits(session: Session, practitioner_id: int) -> int:
    """How many visits the doctor has begun and not signed."""
    counted = (
        select(func.count())
        .select_from(Encounter)
        .where(
            Encounter.practitioner_id == practitioner_id,
            Encounter.signed_at.is_(None),
            Encounter.voided_at.is_(None),
        )
    )
    return int(session.scalar(counted) or 0)


def open_visits(session: Session, practitioner_id: int) -> Sequence[tuple[Encounter, Patient]]:
    """Visits begun by the doctor and not signed yet, oldest first."""
    rows = session.execute(
        select(Encounter, Patient)
        .join(Patient, Patient.id == Encounter.patient_id)
        .where(
            Encounter.practitioner_id == practitioner_id,
            Encounter.signed_at.is_(None),
            Encounter.voided_at.is_(None),
        )
        .order_by(Encounter.started_at)
    )
    return [(row[0], row[1]) for row in rows]
