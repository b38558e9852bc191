"""Queries on orders, reports and values. Row-level security narrows each to the acting user's organisations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from operational.domains.catalogs.models import CodedValue, LabTest
from operational.domains.encounters.models import Encounter
from operational.domains.orders.models import (
    Device,
    DiagnosticOrder,
    DiagnosticReport,
    ImagingInstance,
    ImagingStudy,
    LabResult,
    OrderTest,
)
from operational.domains.organisation.models import (
    Department,
    Organisation,
    OrganisationVersion,
    Practitioner,
    PractitionerRole,
)
from operational.domains.patients.models import Patient
from operational.domains.patients.repository import matches
from operational.domains.patients.search import read_criteria

PERFORMERS = ("hospital", "polyclinic", "rural")


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What a list of orders is narrowed to; an empty part narrows nothing. ``text``: name, IIN or number."""

    text: str = ""
    category: str = ""
    status: str = ""
    priority: str = ""
    modality: str = ""
    department_id: int | None = None
    ordered_from: datetime | None = None
    ordered_to: datetime | None = None


def order(session: Session, key: int, *, lock: bool = False) -> DiagnosticOrder | None:
    query = select(DiagnosticOrder).where(DiagnosticOrder.id == key)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)


def orders(
    session: Session, wanted: OrderFilter, today: date, *, sort: str, descending: bool, offset: int, limit: int
) -> tuple[list[tuple[DiagnosticOrder, Patient]], int]:
    """A page of orders with their patients, and how many fit."""
    query = _narrowed(
        select(DiagnosticOrder, Patient).join(Patient, Patient.id == DiagnosticOrder.patient_id), wanted, today
    )
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    column = {
        "patient": Patient.sort_key, "number": DiagnosticOrder.accession_number,
        "scheduled": DiagnosticOrder.scheduled_at,
    }.get(sort, DiagnosticOrder.ordered_at)  # fmt: skip
    ordered = query.order_by(column.desc().nulls_last() if descending else column, DiagnosticOrder.id.desc())
    rows = session.execute(ordered.offset(offset).limit(limit))
    return [(row[0], row[1]) for row in rows], int(total)


def _narrowed(
    query: Select[DiagnosticOrder, Patient], wanted: OrderFilter, today: date
) -> Select[DiagnosticOrder, Patient]:
    table = DiagnosticOrder
    for column, value in (
        (table.category, wanted.category), (table.status, wanted.status), (table.priority, wanted.priority),
        (table.modality, wanted.modality),
    ):  # fmt: skip
        if value:
            query = query.where(column == value)
    if wanted.department_id is not None:
        query = query.where(table.department_id == wanted.department_id)
    if wanted.ordered_from is not None:
        query = query.where(table.ordered_at >= wanted.ordered_from)
    if wanted.ordered_to is not None:
        query = query.where(table.ordered_at < wanted.ordered_to)
    if wanted.text:
        number = table.accession_number == wanted.text.strip().upper()
        query = query.where(or_(number, matches(read_criteria(wanted.text, today))))
    return query


def order_by_number(session: Session, number: str) -> DiagnosticOrder | None:
    return session.scalar(select(DiagnosticOrder).where(DiagnosticOrder.accession_number == number))


def orders_of(session: Session, patient_ids: Sequence[int], *, limit: int) -> Sequence[DiagnosticOrder]:
    """The newest orders of these records."""
    query = select(DiagnosticOrder).where(DiagnosticOrder.patient_id.in_(patient_ids))
    return session.scalars(query.order_by(DiagnosticOrder.ordered_at.desc()).limit(limit)).all()


def count_orders(session: Session, patient_ids: Sequence[int]) -> int:
    query = select(func.count()).select_from(DiagnosticOrder).where(DiagnosticOrder.patient_id.in_(patient_ids))
    return int(session.scalar(query) or 0)


def tests(session: Session, order_ids: Collection[int]) -> dict[int, list[LabTest]]:
    """The ordered tests by order, in the order of the directory."""
    rows = session.execute(
        select(OrderTest.order_id, LabTest)
        .join(LabTest, LabTest.code == OrderTest.test_code)
        .where(OrderTest.order_id.in_(order_ids))
        .order_by(LabTest.id)
    )
    found: dict[int, list[LabTest]] = {}
    for key, test in rows:
        found.setdefault(key, []).append(test)
    return found


def report(session: Session, key: int, *, lock: bool = False) -> DiagnosticReport | None:
    query = select(DiagnosticReport).where(DiagnosticReport.id == key)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)


def reports(session: Session, order_id: int, *, voided: bool = False) -> Sequence[DiagnosticReport]:
    """The reports of an order, oldest first."""
    query = select(DiagnosticReport).where(DiagnosticReport.order_id == order_id)
    if not voided:
        query = query.where(DiagnosticReport.voided_at.is_(None))
    return session.scalars(query.order_by(DiagnosticReport.issued_at, DiagnosticReport.id)).all()


def results(session: Session, report_ids: Collection[int]) -> Sequence[tuple[LabResult, LabTest | None]]:
    """The values of reports that were not taken out, in the order of the directory, unmapped ones last.

    Of a voided report all values are shown, marked.
    """
    rows = session.execute(
        select(LabResult, LabTest)
        .outerjoin(LabTest, LabTest.code == LabResult.test_code)
        .join(DiagnosticReport, DiagnosticReport.id == LabResult.report_id)
        .where(
            LabResult.report_id.in_(report_ids),
            or_(LabResult.voided_at.is_(None), DiagnosticReport.voided_at == LabResult.voided_at),
        )
        .order_by(LabResult.report_id, LabTest.id.nulls_last(), LabResult.id)
    )
    return [(row[0], row[1]) for row in rows]


def reports_of(session: Session, patient_ids: Sequence[int], *, limit: int) -> Sequence[DiagnosticReport]:
    """The newest reports of these records."""
    query = select(DiagnosticReport).where(DiagnosticReport.patient_id.in_(patient_ids))
    return session.scalars(query.order_by(DiagnosticReport.issued_at.desc()).limit(limit)).all()


def count_reports(session: Session, patient_ids: Sequence[int]) -> int:
    query = select(func.count()).select_from(DiagnosticReport).where(DiagnosticReport.patient_id.in_(patient_ids))
    return int(session.scalar(query) or 0)


def trend(session: Session, patient_ids: Sequence[int], test_code: str, *, limit: int = 60) -> list[LabResult]:
    """The confirmed numeric values of a test for these records, oldest first."""
    query = (
        select(LabResult)
        .where(
            LabResult.patient_id.in_(patient_ids),
            LabResult.test_code == test_code,
            LabResult.value_number.is_not(None),
            LabResult.voided_at.is_(None),
            LabResult.status.in_(("final", "corrected")),
        )
        .order_by(LabResult.observed_at.desc())
        .limit(limit)
    )
    return list(session.scalars(query))[::-1]


def encounter_patient(session: Session, key: int) -> int | None:
    return session.scalar(select(Encounter.patient_id).where(Encounter.id == key))


def encounter_department(session: Session, key: int) -> int | None:
    return session.scalar(select(Encounter.department_id).where(Encounter.id == key))


def practitioner(session: Session, key: int | None) -> Practitioner | None:
    return session.get(Practitioner, key) if key is not None else None


def role_on(
    session: Session, practitioner_id: int, organisation_ids: Collection[int], day: date
) -> PractitionerRole | None:
    """The practitioner's newest position on a day in one of the organisations."""
    role = PractitionerRole
    query = select(role).where(
        role.practitioner_id == practitioner_id, role.organisation_id.in_(organisation_ids),
        role.valid_from <= day, or_(role.valid_to.is_(None), role.valid_to > day),
    )  # fmt: skip
    return session.scalar(query.order_by(role.valid_from.desc()).limit(1))


def departments(session: Session, organisation_ids: Collection[int], day: date) -> Sequence[Department]:
    """The departments of the organisations on a day."""
    query = select(Department).where(
        Department.organisation_id.in_(organisation_ids),
        Department.valid_from <= day,
        or_(Department.valid_to.is_(None), Department.valid_to > day),
    )
    return session.scalars(query.order_by(Department.organisation_id, Department.code)).all()


def department(session: Session, key: int | None) -> Department | None:
    return session.get(Department, key) if key is not None else None


def performers(session: Session, day: date) -> Sequence[tuple[int, OrganisationVersion]]:
    """The organisations that can perform an order, with their names of the day."""
    version = OrganisationVersion
    rows = session.execute(
        select(Organisation.id, version)
        .join(version, version.organisation_id == Organisation.id)
        .where(
            Organisation.kind.in_(PERFORMERS), version.valid_from <= day,
            or_(version.valid_to.is_(None), version.valid_to > day),
        )
        .order_by(version.name_ru)
    )  # fmt: skip
    return [(row[0], row[1]) for row in rows]


def organisation_name(session: Session, key: int, day: date) -> OrganisationVersion | None:
    version = OrganisationVersion
    return session.scalar(
        select(version).where(
            version.organisation_id == key, version.valid_from <= day,
            or_(version.valid_to.is_(None), version.valid_to > day),
        )
    )  # fmt: skip


def stations(session: Session, organisation_ids: Collection[int]) -> Sequence[Device]:
    """The active DICOM devices of the organisations."""
    query = select(Device).where(
        Device.organisation_id.in_(organisation_ids), Device.protocol == "dicom", Device.active
    )
    return session.scalars(query.order_by(Device.code)).all()


def studies_of_order(session: Session, order_id: int) -> Sequence[ImagingStudy]:
    query = select(ImagingStudy).where(and_(ImagingStudy.order_id == order_id, ImagingStudy.voided_at.is_(None)))
    return session.scalars(query.order_by(ImagingStudy.started_at)).all()


def coded_names(session: Session, *directories: str) -> dict[tuple[str, str], CodedValue]:
    """The entries of small directories by directory and code, closed ones too."""
    rows = session.scalars(
        select(CodedValue)
        .where(CodedValue.directory_code.in_(directories))
        .order_by(CodedValue.sort_order, CodedValue.code)
    )
    return {(row.directory_code, row.code): row for row in rows}


# --- images -------------------------------------------------------------------------------------


def study(session: Session, key: int, *, lock: bool = False) -> ImagingStudy | None:
    query = select(ImagingStudy).where(ImagingStudy.id == key)
    return session.scalar(query.with_for_update() if lock else query)


def studies_of(session: Session, patient_ids: Sequence[int], *, limit: int) -> Sequence[ImagingStudy]:
    """The newest studies of these records."""
    query = select(ImagingStudy).where(ImagingStudy.patient_id.in_(patient_ids), ImagingStudy.voided_at.is_(None))
    return session.scalars(query.order_by(ImagingStudy.started_at.desc()).limit(limit)).all()


def count_studies(session: Session, patient_ids: Sequence[int]) -> int:
    query = select(func.count()).select_from(ImagingStudy)
    return int(
        session.scalar(query.where(ImagingStudy.patient_id.in_(patient_ids), ImagingStudy.voided_at.is_(None))) or 0
    )


def instance(session: Session, study_uid: str, key: int) -> ImagingInstance | None:
    """An object of a study."""
    query = select(ImagingInstance).where(ImagingInstance.id == key, ImagingInstance.study_uid == study_uid)
    return session.scalar(query)


def reports_of_study(session: Session, study: ImagingStudy) -> Sequence[DiagnosticReport]:
    """The descriptions of a study, or of its order."""
    report = DiagnosticReport
    belongs = report.imaging_study_id == study.id
    if study.order_id is not None:
        belongs = or_(belongs, report.order_id == study.order_id)
    query = select(report).where(belongs, report.voided_at.is_(None))
    return session.scalars(query.order_by(report.issued_at)).all()
