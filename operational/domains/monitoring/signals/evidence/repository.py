"""Queries on stays, deaths, pregnancies and attachment, and the functions of the store that open and close cases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, select, text
from sqlalchemy.orm import Session

from operational.domains.inpatient.models import (
    HospitalStay,
    StayDiagnosis,
    StayOperation,
    Transfusion,
    VitalSign,
    WardMovement,
)
from operational.domains.maternity.models import Pregnancy
from operational.domains.organisation.models import Department, SiteAssignment
from operational.domains.patients.models import Death, Patient

INTENSIVE_CARE = "intensive_care"


def stay(session: Session, key: int) -> HospitalStay | None:
    return session.get(HospitalStay, key)


def stay_of_vitals(session: Session, key: int) -> int | None:
    return session.scalar(select(VitalSign.stay_id).where(VitalSign.id == key))


def stay_of_transfusion(session: Session, key: int) -> int | None:
    return session.scalar(select(Transfusion.stay_id).where(Transfusion.id == key))


def diagnoses(session: Session, stay_id: int) -> Sequence[StayDiagnosis]:
    """Diagnoses that hold, the best known main one first: final, else clinical, else that of admission."""
    phase = case((StayDiagnosis.phase == "final", 0), (StayDiagnosis.phase == "clinical", 1), else_=2)
    query = select(StayDiagnosis).where(StayDiagnosis.stay_id == stay_id, StayDiagnosis.voided_at.is_(None))
    return session.scalars(query.order_by(StayDiagnosis.rank != "main", phase, StayDiagnosis.id)).all()


def operations(session: Session, stay_id: int) -> Sequence[StayOperation]:
    query = select(StayOperation).where(StayOperation.stay_id == stay_id, StayOperation.voided_at.is_(None))
    return session.scalars(query.order_by(StayOperation.started_at, StayOperation.id)).all()


def vitals(session: Session, stay_id: int) -> Sequence[VitalSign]:
    query = select(VitalSign).where(VitalSign.stay_id == stay_id, VitalSign.voided_at.is_(None))
    return session.scalars(query.order_by(VitalSign.measured_at, VitalSign.id)).all()


def transfusions(session: Session, stay_id: int) -> Sequence[Transfusion]:
    query = select(Transfusion).where(Transfusion.stay_id == stay_id, Transfusion.voided_at.is_(None))
    return session.scalars(query.order_by(Transfusion.started_at, Transfusion.id)).all()


def intensive_care(session: Session, stay_id: int) -> Sequence[datetime]:
    """When the patient came into intensive care."""
    query = (
        select(WardMovement.started_at)
        .join(Department, Department.id == WardMovement.department_id)
        .where(WardMovement.stay_id == stay_id, WardMovement.voided_at.is_(None), Department.kind == INTENSIVE_CARE)
    )
    return session.scalars(query.order_by(WardMovement.started_at)).all()


def death(session: Session, key: int) -> Death | None:
    return session.get(Death, key)


def died(session: Session, patient_ids: Sequence[int]) -> bool:
    """Whether a death of the person stands."""
    query = select(Death.id).where(Death.patient_id.in_(patient_ids), Death.voided_at.is_(None))
    return session.scalar(query.limit(1)) is not None


def patient(session: Session, key: int) -> Patient | None:
    return session.get(Patient, key)


def attachment_on(session: Session, patient_id: int, day: date) -> tuple[int, int] | None:
    """Organisation and site of attachment of the person on the day, whatever record bears it."""
    found = session.execute(
        text("select * from kmis_attachment_on(:patient, :day)"), {"patient": patient_id, "day": day}
    )
    first = found.first()
    return (int(first[0]), int(first[1])) if first else None


def maternity_on(
    session: Session, patient_id: int, since: date, day: date
) -> tuple[date | None, int | None, int | None] | None:
    """The end of the pregnancy (None: pregnant), who leads it and the obstetrician; None when there is none."""
    found = session.execute(
        text("select ended_on, organisation_id, practitioner_id from kmis_maternity_on(:patient, :since, :day)"),
        {"patient": patient_id, "since": since, "day": day},
    ).first()
    return (found[0], found[1], found[2]) if found else None


def site_staff(session: Session, site_id: int, day: date) -> dict[str, int]:
    """Who answers for a site on a day: practitioner by duty (doctor, nurse)."""
    query = select(SiteAssignment.duty, SiteAssignment.practitioner_id).where(
        SiteAssignment.site_id == site_id,
        SiteAssignment.valid_from <= day,
        SiteAssignment.valid_to.is_(None) | (SiteAssignment.valid_to > day),
    )
    return {duty: practitioner for duty, practitioner in session.execute(query)}


def open_signal(session: Session, columns: dict[str, Any]) -> tuple[int, str | None]:
    """Open, extend or reopen the case of a rule and subject, whoever answers for it.

    Returns its key and what happened: opened, reopened, reason_added, or None when nothing was new.
    """
    statement = text("select o_case, o_kind from kmis_open_signal(cast(:case as jsonb))")
    found = session.execute(statement, {"case": json.dumps(columns, default=str)}).one()
    return int(found[0]), found[1]


def withdraw_signal(session: Session, rule: str, subject: str, subject_id: int, outcome: str, at: datetime) -> bool:
    """Close the case of a rule and subject whose cause is gone; whether there was an open one."""
    values = {"rule": rule, "subject": subject, "subject_id": subject_id, "outcome": outcome, "at": at}
    statement = text("select kmis_withdraw_signal(:rule, :subject, :subject_id, :outcome, :at)")
    return bool(session.execute(statement, values).scalar_one())


def signals_of_death(session: Session, patient_id: int, *, died_flag: bool, at: datetime) -> int:
    """Close the person's open cases at death, or open again what a death entered in error closed."""
    statement = text("select kmis_signals_of_death(:patient, :died, :at)")
    return int(session.execute(statement, {"patient": patient_id, "died": died_flag, "at": at}).scalar_one())


def owner_of(session: Session, subject: str, key: int, patient_id: int) -> int | None:
    """The organisation that wrote the subject of a case, when it is the person's and the scope sees it."""
    found: HospitalStay | Death | Pregnancy | None
    if subject == "hospital_stay":
        found = session.get(HospitalStay, key)
    else:
        found = session.get(Death, key) if subject == "death" else session.get(Pregnancy, key)
    return found.owner_organisation_id if found is not None and found.patient_id == patient_id else None
