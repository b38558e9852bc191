"""Queries of the hospital's lists: who waits, who lies where, how many beds are free."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from operational.domains.inpatient.models import (
    HospitalPresentation,
    HospitalStay,
    StayDiagnosis,
    StayOperation,
    WardMovement,
)
from operational.domains.inpatient.repository import PHASE_ORDER
from operational.domains.organisation.models import BedStock, Department, Practitioner
from operational.domains.patients.models import Patient

# Departments where patients lie, besides those that have beds in the stock.
WARD_KINDS = ("therapeutic", "surgical", "paediatric", "maternity", "infectious", "intensive_care", "day_hospital")
ADMISSION = "admission"


@dataclass(frozen=True, slots=True)
class BedsRow:
    """The beds of a profile in a department now."""

    department: Department
    bed_profile: str
    beds: int
    occupied: int

    @property
    def free(self) -> int:
        """Free beds; below zero when patients lie on added ones."""
        return self.beds - self.occupied


@dataclass(frozen=True, slots=True)
class PresentationRow:
    """A presentation with the person and the doctor who saw them."""

    presentation: HospitalPresentation
    patient: Patient
    doctor: Practitioner | None


@dataclass(frozen=True, slots=True)
class StayRow:
    """A stay with the person, where they lie or lay last, the doctor and the main diagnosis."""

    stay: HospitalStay
    patient: Patient
    movement: WardMovement
    department: Department
    doctor: Practitioner
    main: str | None


def _holds(model: type[Department] | type[BedStock], day: date) -> ColumnElement[bool]:
    return and_(model.valid_from <= day, or_(model.valid_to.is_(None), model.valid_to > day))


def ward_departments(session: Session, organisation_ids: Collection[int], day: date) -> Sequence[Department]:
    """The departments of the organisations where patients lie."""
    stocked = select(BedStock.department_id).where(_holds(BedStock, day))
    return session.scalars(
        select(Department)
        .where(
            Department.organisation_id.in_(organisation_ids), _holds(Department, day), Department.kind != ADMISSION,
            or_(Department.kind.in_(WARD_KINDS), Department.id.in_(stocked)),
        )
        .order_by(Department.organisation_id, Department.code)
    ).all()  # fmt: skip


def admission_departments(session: Session, organisation_ids: Collection[int], day: date) -> Sequence[Department]:
    """The admission departments of the organisations."""
    return session.scalars(
        select(Department)
        .where(Department.organisation_id.in_(organisation_ids), _holds(Department, day), Department.kind == ADMISSION)
        .order_by(Department.organisation_id, Department.code)
    ).all()


def beds(session: Session, organisation_ids: Collection[int], day: date) -> list[BedsRow]:
    """Beds and patients by department and profile now; a profile without stock stands with 0 beds."""
    stock = session.execute(
        select(BedStock.department_id, BedStock.bed_profile, BedStock.beds).where(
            BedStock.organisation_id.in_(organisation_ids), _holds(BedStock, day)
        )
    )
    known: dict[tuple[int, str], int] = {(row[0], row[1]): row[2] for row in stock}
    lying = session.execute(
        select(WardMovement.department_id, WardMovement.bed_profile, func.count())
        .where(
            WardMovement.owner_organisation_id.in_(organisation_ids), WardMovement.ended_at.is_(None),
            WardMovement.voided_at.is_(None),
        )
        .group_by(WardMovement.department_id, WardMovement.bed_profile)
    )  # fmt: skip
    occupied: dict[tuple[int, str], int] = {(row[0], row[1]): row[2] for row in lying}
    keys = known.keys() | occupied.keys()
    found = session.scalars(select(Department).where(Department.id.in_({key[0] for key in keys})))
    departments = {row.id: row for row in found}
    rows = [BedsRow(departments[key[0]], key[1], known.get(key, 0), occupied.get(key, 0)) for key in keys]
    return sorted(rows, key=lambda row: (row.department.code, row.department.id, row.bed_profile))


def taken_beds(session: Session, department_id: int) -> list[str]:
    """The numbers of the beds in which somebody lies now."""
    rows = session.scalars(
        select(WardMovement.bed).where(
            WardMovement.department_id == department_id, WardMovement.ended_at.is_(None),
            WardMovement.voided_at.is_(None), WardMovement.bed.is_not(None),
        )
    )  # fmt: skip
    return sorted(bed for bed in rows if bed)


# --- the admission department ---------------------------------------------------------------------


def waiting(
    session: Session, organisation_ids: Collection[int], *, department_id: int | None = None
) -> list[PresentationRow]:
    """Everybody who waits for a decision, the longest waiting first."""
    conditions: list[ColumnElement[bool]] = [
        HospitalPresentation.owner_organisation_id.in_(organisation_ids),
        HospitalPresentation.decision == "waiting", HospitalPresentation.voided_at.is_(None),
    ]  # fmt: skip
    if department_id is not None:
        conditions.append(HospitalPresentation.department_id == department_id)
    rows = session.execute(
        select(HospitalPresentation, Patient, Practitioner)
        .join(Patient, Patient.id == HospitalPresentation.patient_id)
        .outerjoin(Practitioner, Practitioner.id == HospitalPresentation.practitioner_id)
        .where(*conditions)
        .order_by(HospitalPresentation.arrived_at, HospitalPresentation.id)
    )
    return [PresentationRow(*row) for row in rows]


def count_waiting(session: Session, organisation_ids: Collection[int]) -> int:
    return int(
        session.scalar(
            select(func.count())
            .select_from(HospitalPresentation)
            .where(
                HospitalPresentation.owner_organisation_id.in_(organisation_ids),
                HospitalPresentation.decision == "waiting", HospitalPresentation.voided_at.is_(None),
            )
        )
        or 0
    )  # fmt: skip


def journal(
    session: Session, organisation_ids: Collection[int], *, since: datetime, until: datetime, decision: str, zone: str,
    patient_ids: Sequence[int] | None, by_name: bool, descending: bool, offset: int, limit: int,
) -> tuple[list[PresentationRow], int]:  # fmt: skip
    """A page of the presentations that arrived from a moment until another, voided ones too."""
    conditions: list[ColumnElement[bool]] = [
        HospitalPresentation.owner_organisation_id.in_(organisation_ids),
        HospitalPresentation.arrived_at >= since, HospitalPresentation.arrived_at < until,
    ]  # fmt: skip
    if decision:
        conditions.append(HospitalPresentation.decision == decision)
    if zone:
        none = HospitalPresentation.triage_zone.is_(None)
        conditions.append(none if zone == "none" else HospitalPresentation.triage_zone == zone)
    if patient_ids is not None:
        conditions.append(HospitalPresentation.patient_id.in_(patient_ids))
    query = (
        select(HospitalPresentation, Patient, Practitioner)
        .join(Patient, Patient.id == HospitalPresentation.patient_id)
        .outerjoin(Practitioner, Practitioner.id == HospitalPresentation.practitioner_id)
        .where(*conditions)
    )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    column: ColumnElement[Any] = (Patient.sort_key if by_name else HospitalPresentation.arrived_at).expression
    ordered = query.order_by(column.desc() if descending else column.asc(), HospitalPresentation.id)
    return [PresentationRow(*row) for row in session.execute(ordered.offset(offset).limit(limit))], total


def presentations_of(session: Session, patient_ids: Sequence[int], *, limit: int) -> Sequence[HospitalPresentation]:
    """Presentations of the records that led to no stay, newest first."""
    return session.scalars(
        select(HospitalPresentation)
        .where(HospitalPresentation.patient_id.in_(patient_ids), HospitalPresentation.decision != "admitted")
        .order_by(HospitalPresentation.arrived_at.desc())
        .limit(limit)
    ).all()


def count_presentations(session: Session, patient_ids: Sequence[int]) -> int:
    counted = select(func.count()).select_from(HospitalPresentation)
    condition = HospitalPresentation.patient_id.in_(patient_ids), HospitalPresentation.decision != "admitted"
    return int(session.scalar(counted.where(*condition)) or 0)


# --- stays ----------------------------------------------------------------------------------------


def _main() -> Any:
    return (
        select(StayDiagnosis.icd10_code)
        .where(
            StayDiagnosis.stay_id == HospitalStay.id, StayDiagnosis.rank == "main", StayDiagnosis.voided_at.is_(None)
        )
        .order_by(PHASE_ORDER)
        .limit(1)
        .scalar_subquery()
    )


def stays(
    session: Session, organisation_ids: Collection[int], *, state: str, department_id: int | None, bed_profile: str,
    patient_ids: Sequence[int] | None, case_number: str, sort: str, descending: bool, offset: int, limit: int,
) -> tuple[list[StayRow], int]:  # fmt: skip
    """A page of stays: of the patients who lie here now (``open``), or of the discharged."""
    lain = aliased(WardMovement)
    latest = (
        select(lain.id)
        .where(lain.stay_id == HospitalStay.id, lain.voided_at.is_(None))
        .order_by(lain.started_at.desc(), lain.id.desc())
        .limit(1)
        .correlate(HospitalStay)
        .scalar_subquery()
    )
    conditions: list[ColumnElement[bool]] = [
        HospitalStay.owner_organisation_id.in_(organisation_ids), HospitalStay.voided_at.is_(None),
        HospitalStay.discharged_at.is_(None) if state == "open" else HospitalStay.discharged_at.is_not(None),
    ]  # fmt: skip
    if department_id is not None:
        conditions.append(WardMovement.department_id == department_id)
    if bed_profile:
        conditions.append(WardMovement.bed_profile == bed_profile)
    if patient_ids is not None:
        conditions.append(HospitalStay.patient_id.in_(patient_ids))
    if case_number:
        conditions.append(HospitalStay.case_number == case_number)
    query = (
        select(HospitalStay, Patient, WardMovement, Department, Practitioner, _main())
        .join(Patient, Patient.id == HospitalStay.patient_id)
        .join(WardMovement, WardMovement.id == latest)
        .join(Department, Department.id == WardMovement.department_id)
        .join(Practitioner, Practitioner.id == HospitalStay.practitioner_id)
        .where(*conditions)
    )
    total = session.scalar(select(func.count()).select_from(query.with_only_columns(HospitalStay.id).subquery())) or 0
    severity = case(
        (HospitalStay.condition == "extremely_severe", 0), (HospitalStay.condition == "severe", 1),
        (HospitalStay.condition == "moderate", 2), else_=3,
    )  # fmt: skip
    columns: dict[str, list[ColumnElement[Any]]] = {
        "bed": [Department.code.expression, WardMovement.ward.expression, WardMovement.bed.expression],
        "name": [Patient.sort_key.expression],
        "admitted_at": [HospitalStay.admitted_at.expression],
        "discharged_at": [HospitalStay.discharged_at.expression],
        "condition": [severity],
    }
    order = [column.desc() if descending else column.asc() for column in columns[sort]]
    rows = session.execute(query.order_by(*order, HospitalStay.id).offset(offset).limit(limit))
    return [StayRow(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows], total


def stays_of(session: Session, patient_ids: Sequence[int], *, limit: int) -> list[tuple[HospitalStay, str | None]]:
    """The stays of the records, voided ones too, newest first, with the main diagnosis."""
    rows = session.execute(
        select(HospitalStay, _main())
        .where(HospitalStay.patient_id.in_(patient_ids))
        .order_by(HospitalStay.admitted_at.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def count_stays(session: Session, patient_ids: Sequence[int]) -> int:
    counted = select(func.count()).select_from(HospitalStay).where(HospitalStay.patient_id.in_(patient_ids))
    return int(session.scalar(counted) or 0)


def count_operations(session: Session, patient_ids: Sequence[int]) -> int:
    """Operations of the records in stays that are not voided."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(StayOperation)
            .join(HospitalStay, HospitalStay.id == StayOperation.stay_id)
            .where(
                StayOperation.patient_id.in_(patient_ids), StayOperation.voided_at.is_(None),
                HospitalStay.voided_at.is_(None),
            )
        )
        or 0
    )  # fmt: skip


def died_in_hospital(session: Session, patient_ids: Sequence[int]) -> bool:
    """Whether a stay or a presentation of the records says that the person died."""
    stay = select(HospitalStay.id).where(
        HospitalStay.patient_id.in_(patient_ids), HospitalStay.outcome == "died", HospitalStay.voided_at.is_(None)
    )
    presentation = select(HospitalPresentation.id).where(
        HospitalPresentation.patient_id.in_(patient_ids), HospitalPresentation.decision == "died",
        HospitalPresentation.voided_at.is_(None),
    )  # fmt: skip
    return any(session.scalar(query.limit(1)) is not None for query in (stay, presentation))
