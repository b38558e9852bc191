"""Queries on stays and their parts; the lists of wards and desk stand in ``wards``.

Row-level security bounds every one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from operational.domains.catalogs.models import CodedValue, Icd10, Operation
from operational.domains.inpatient.models import (
    HospitalPresentation,
    HospitalStay,
    StayDiagnosis,
    StayOperation,
    Transfusion,
    VitalSign,
    WardMovement,
)
from operational.domains.organisation.models import BedStock, Department, OrganisationVersion, Practitioner
from operational.domains.patients.models import Patient

# Of a stay's main diagnoses the latest phase counts.
PHASE_ORDER = case((StayDiagnosis.phase == "final", 0), (StayDiagnosis.phase == "clinical", 1), else_=2)
RANK_ORDER = case((StayDiagnosis.rank == "main", 0), (StayDiagnosis.rank == "complication", 1), else_=2)
Part = StayDiagnosis | WardMovement | VitalSign | StayOperation | Transfusion
PARTS: tuple[type[Part], ...] = (StayDiagnosis, WardMovement, VitalSign, StayOperation, Transfusion)
CODING_LEVELS = ("category", "subcategory", "ru_subdivision")


@dataclass(frozen=True, slots=True)
class DiagnosisRow:
    """A diagnosis of a stay with its name."""

    diagnosis: StayDiagnosis
    icd10: Icd10


@dataclass(frozen=True, slots=True)
class MovementRow:
    """A movement with its department."""

    movement: WardMovement
    department: Department


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation with its name and the surgeon."""

    operation: StayOperation
    name: Operation
    surgeon: Practitioner


@dataclass(frozen=True, slots=True)
class TransfusionRow:
    """A transfusion with the doctor who answers for it."""

    transfusion: Transfusion
    doctor: Practitioner


# --- one row --------------------------------------------------------------------------------------


def presentation(session: Session, key: int, *, lock: bool = False) -> HospitalPresentation | None:
    query = select(HospitalPresentation).where(HospitalPresentation.id == key)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)


def stay(session: Session, key: int, *, lock: bool = False) -> HospitalStay | None:
    """The stay by its key, also a voided one."""
    query = select(HospitalStay).where(HospitalStay.id == key)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)


def stay_of_presentation(session: Session, presentation_id: int) -> HospitalStay | None:
    return session.scalar(
        select(HospitalStay).where(HospitalStay.presentation_id == presentation_id, HospitalStay.voided_at.is_(None))
    )


def open_stay(session: Session, patient_id: int) -> HospitalStay | None:
    """The stay that the person is in now, of those the scope sees."""
    return session.scalar(
        select(HospitalStay).where(
            HospitalStay.patient_id == patient_id,
            HospitalStay.discharged_at.is_(None),
            HospitalStay.voided_at.is_(None),
        )
    )


def main_diagnosis(session: Session, stay_id: int) -> StayDiagnosis | None:
    """The main diagnosis: the final one if there is one, else the clinical, else that of the admission."""
    return session.scalar(
        select(StayDiagnosis)
        .where(StayDiagnosis.stay_id == stay_id, StayDiagnosis.rank == "main", StayDiagnosis.voided_at.is_(None))
        .order_by(PHASE_ORDER)
        .limit(1)
    )


def current_movement(session: Session, stay_id: int) -> WardMovement | None:
    """Where the patient lies; of an ended stay where the patient lay last."""
    return session.scalar(
        select(WardMovement)
        .where(WardMovement.stay_id == stay_id, WardMovement.voided_at.is_(None))
        .order_by(WardMovement.started_at.desc(), WardMovement.id.desc())
        .limit(1)
    )


def vital_sign(session: Session, key: int) -> VitalSign | None:
    """A round of measurements by its key, also a voided one."""
    return session.scalar(select(VitalSign).where(VitalSign.id == key))


def transfusion(session: Session, key: int) -> Transfusion | None:
    """A transfusion by its key, also a voided one."""
    return session.scalar(select(Transfusion).where(Transfusion.id == key))


def operation(session: Session, key: int) -> StayOperation | None:
    """An operation by its key, also a voided one."""
    return session.scalar(select(StayOperation).where(StayOperation.id == key))


def diagnosis(session: Session, key: int) -> StayDiagnosis | None:
    return session.scalar(select(StayDiagnosis).where(StayDiagnosis.id == key))


def movement(session: Session, key: int) -> WardMovement | None:
    return session.scalar(select(WardMovement).where(WardMovement.id == key))


def department(session: Session, key: int) -> Department | None:
    return session.get(Department, key)


def patient(session: Session, key: int, *, lock: bool = False) -> Patient | None:
    query = select(Patient).where(Patient.id == key)
    return session.scalar(query.with_for_update() if lock else query)


def practitioner(session: Session, key: int) -> Practitioner | None:
    return session.get(Practitioner, key)


# --- parts of a stay ------------------------------------------------------------------------------


def diagnoses(session: Session, stay_id: int) -> list[DiagnosisRow]:
    """Diagnoses that are not voided: by phase, the main one first."""
    rows = session.execute(
        select(StayDiagnosis, Icd10)
        .join(Icd10, Icd10.code == StayDiagnosis.icd10_code)
        .where(StayDiagnosis.stay_id == stay_id, StayDiagnosis.voided_at.is_(None))
        .order_by(PHASE_ORDER.desc(), RANK_ORDER, StayDiagnosis.id)
    )
    return [DiagnosisRow(*row) for row in rows]


def main_of_phase(session: Session, stay_id: int, phase: str) -> StayDiagnosis | None:
    return session.scalar(
        select(StayDiagnosis).where(
            StayDiagnosis.stay_id == stay_id, StayDiagnosis.phase == phase, StayDiagnosis.rank == "main",
            StayDiagnosis.voided_at.is_(None),
        )
    )  # fmt: skip


def movements(session: Session, stay_id: int) -> list[MovementRow]:
    """Movements that are not voided, in order of time."""
    rows = session.execute(
        select(WardMovement, Department)
        .join(Department, Department.id == WardMovement.department_id)
        .where(WardMovement.stay_id == stay_id, WardMovement.voided_at.is_(None))
        .order_by(WardMovement.started_at, WardMovement.id)
    )
    return [MovementRow(*row) for row in rows]


def vital_signs(session: Session, stay_id: int) -> Sequence[VitalSign]:
    """Measurements that are not voided, in order of time."""
    return session.scalars(
        select(VitalSign)
        .where(VitalSign.stay_id == stay_id, VitalSign.voided_at.is_(None))
        .order_by(VitalSign.measured_at, VitalSign.id)
    ).all()


def operations(session: Session, stay_id: int) -> list[OperationRow]:
    rows = session.execute(
        select(StayOperation, Operation, Practitioner)
        .join(Operation, Operation.code == StayOperation.operation_code)
        .join(Practitioner, Practitioner.id == StayOperation.surgeon_id)
        .where(StayOperation.stay_id == stay_id, StayOperation.voided_at.is_(None))
        .order_by(StayOperation.started_at, StayOperation.id)
    )
    return [OperationRow(*row) for row in rows]


def transfusions(session: Session, stay_id: int) -> list[TransfusionRow]:
    rows = session.execute(
        select(Transfusion, Practitioner)
        .join(Practitioner, Practitioner.id == Transfusion.practitioner_id)
        .where(Transfusion.stay_id == stay_id, Transfusion.voided_at.is_(None))
        .order_by(Transfusion.started_at, Transfusion.id)
    )
    return [TransfusionRow(*row) for row in rows]


def last_event_at(session: Session, stay_id: int) -> datetime | None:
    """The latest moment that anything of the stay happened at."""
    moments: list[datetime | None] = [
        session.scalar(
            select(func.max(func.coalesce(model.ended_at, model.started_at))).where(
                model.stay_id == stay_id, model.voided_at.is_(None)
            )
        )
        for model in (WardMovement, StayOperation, Transfusion)
    ]
    moments.append(
        session.scalar(
            select(func.max(VitalSign.measured_at)).where(VitalSign.stay_id == stay_id, VitalSign.voided_at.is_(None))
        )
    )
    return max((moment for moment in moments if moment is not None), default=None)


def parts(session: Session, stay_id: int, *, voided_at: datetime | None = None) -> list[Part]:
    """Everything of the stay that is not voided, or that was voided at that moment."""
    found: list[Part] = []
    for model in PARTS:
        condition = model.voided_at.is_(None) if voided_at is None else model.voided_at == voided_at
        rows: Sequence[Any] = session.scalars(select(model).where(model.stay_id == stay_id, condition)).all()
        found.extend(rows)
    return found


def has_parts(session: Session, stay_id: int) -> bool:
    """Whether anything was done in the stay beyond the admission itself."""
    done = (operations(session, stay_id), transfusions(session, stay_id), vital_signs(session, stay_id))
    return any(done) or len(movements(session, stay_id)) > 1 or len(diagnoses(session, stay_id)) > 1


def bed_taken(session: Session, row: WardMovement) -> bool:
    """Whether somebody else lies in the bed of the movement from its end on."""
    other = select(WardMovement.id).where(
        WardMovement.department_id == row.department_id, WardMovement.bed == row.bed, WardMovement.id != row.id,
        WardMovement.voided_at.is_(None), or_(WardMovement.ended_at.is_(None), WardMovement.ended_at > row.started_at),
    )  # fmt: skip
    return session.scalar(other.limit(1)) is not None


# --- directories ----------------------------------------------------------------------------------


def icd10(session: Session, code: str) -> Icd10 | None:
    """A code that a diagnosis may be coded with."""
    return session.scalar(select(Icd10).where(Icd10.code == code, Icd10.active, Icd10.level.in_(CODING_LEVELS)))


def operation_name(session: Session, code: str) -> Operation | None:
    return session.scalar(select(Operation).where(Operation.code == code, Operation.active))


def coded(session: Session, directories: Sequence[str]) -> dict[str, list[CodedValue]]:
    """The active entries of small directories, in their order."""
    found: dict[str, list[CodedValue]] = {name: [] for name in directories}
    rows = session.scalars(
        select(CodedValue)
        .where(CodedValue.directory_code.in_(directories), CodedValue.active)
        .order_by(CodedValue.sort_order, CodedValue.code)
    )
    for row in rows:
        found[row.directory_code].append(row)
    return found


def organisations(session: Session, day: date) -> Sequence[OrganisationVersion]:
    """The organisations of the region on the day, by name."""
    return session.scalars(
        select(OrganisationVersion)
        .where(
            OrganisationVersion.parent_id.is_not(None),
            OrganisationVersion.valid_from <= day,
            or_(OrganisationVersion.valid_to.is_(None), OrganisationVersion.valid_to > day),
        )
        .order_by(OrganisationVersion.name_ru)
    ).all()


def organisation_name(session: Session, organisation_id: int, day: date) -> OrganisationVersion | None:
    return session.scalar(
        select(OrganisationVersion).where(
            OrganisationVersion.organisation_id == organisation_id,
            OrganisationVersion.valid_from <= day,
            or_(OrganisationVersion.valid_to.is_(None), OrganisationVersion.valid_to > day),
        )
    )


def bed_stock(session: Session, department_id: int, bed_profile: str, day: date) -> BedStock | None:
    """The beds of a profile that the department has on the day."""
    return session.scalar(
        select(BedStock).where(
            and_(BedStock.department_id == department_id, BedStock.bed_profile == bed_profile),
            BedStock.valid_from <= day,
            or_(BedStock.valid_to.is_(None), BedStock.valid_to > day),
        )
    )
