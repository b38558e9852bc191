"""Queries on devices, on what they delivered, and on how they name tests."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select, true
from sqlalchemy.orm import Session

from operational.domains.catalogs.models import LabTest
from operational.domains.orders.models import (
    Device,
    DeviceMessage,
    DeviceTestCode,
    DiagnosticOrder,
    DiagnosticReport,
    ImagingStudy,
    LabResult,
)

# --- inbox --------------------------------------------------------------------------------------

WAITING = ("unmatched", "quarantined")


def inbox_studies(session: Session, text: str, *, offset: int, limit: int) -> tuple[Sequence[ImagingStudy], int]:
    """The studies without a patient, the newest first."""
    query = select(ImagingStudy).where(ImagingStudy.patient_id.is_(None), ImagingStudy.voided_at.is_(None))
    query = query.where(_stated(ImagingStudy, text))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.order_by(ImagingStudy.received_at.desc(), ImagingStudy.id.desc())
    return session.scalars(ordered.offset(offset).limit(limit)).all(), int(total)


def inbox_messages(
    session: Session, status: str, text: str, *, offset: int, limit: int
) -> tuple[Sequence[DeviceMessage], int]:
    """The messages in a state, the newest first."""
    query = select(DeviceMessage).where(DeviceMessage.status == status, _stated(DeviceMessage, text))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.order_by(DeviceMessage.received_at.desc(), DeviceMessage.id.desc())
    return session.scalars(ordered.offset(offset).limit(limit)).all(), int(total)


def settled_studies(session: Session, limit: int) -> Sequence[ImagingStudy]:
    """The studies that were matched by hand or dismissed, the newest first."""
    query = select(ImagingStudy).where(
        or_(
            ImagingStudy.matched_by == "hand",
            and_(ImagingStudy.patient_id.is_(None), ImagingStudy.voided_at.is_not(None)),
        )
    )
    newest = func.coalesce(ImagingStudy.voided_at, ImagingStudy.matched_at).desc()
    return session.scalars(query.order_by(newest).limit(limit)).all()


def settled_messages(session: Session, limit: int) -> Sequence[DeviceMessage]:
    """The messages that were matched by hand or dismissed, the newest first."""
    query = select(DeviceMessage).where(or_(DeviceMessage.matched_by == "hand", DeviceMessage.status == "resolved"))
    newest = func.coalesce(DeviceMessage.resolved_at, DeviceMessage.received_at).desc()
    return session.scalars(query.order_by(newest).limit(limit)).all()


def count_waiting(session: Session) -> int:
    """Studies and messages that wait for a person."""
    studies = select(func.count()).select_from(ImagingStudy)
    messages = select(func.count()).select_from(DeviceMessage)
    waiting = session.scalar(studies.where(ImagingStudy.patient_id.is_(None), ImagingStudy.voided_at.is_(None))) or 0
    return int(waiting) + int(session.scalar(messages.where(DeviceMessage.status.in_(WAITING))) or 0)


def _stated(table: type[ImagingStudy] | type[DeviceMessage], text: str) -> ColumnElement[bool]:
    """Whether what a device states holds the text; devices write names in capitals or not."""
    if not text:
        return true()
    spellings = {text, text.upper(), text.title()}
    whole = cast(table.stated, Text)
    return or_(*(whole.contains(spelling, autoescape=True) for spelling in spellings))


def message(session: Session, key: int, *, lock: bool = False) -> DeviceMessage | None:
    query = select(DeviceMessage).where(DeviceMessage.id == key)
    return session.scalar(query.with_for_update() if lock else query)


def open_orders(session: Session, patient_ids: Sequence[int], category: str) -> Sequence[DiagnosticOrder]:
    """The orders of these records that something may still come for, the newest first."""
    table = DiagnosticOrder
    query = select(table).where(
        table.patient_id.in_(patient_ids), table.category == category, table.status != "cancelled"
    )
    return session.scalars(query.order_by(table.ordered_at.desc()).limit(50)).all()


# --- devices ------------------------------------------------------------------------------------


def device(session: Session, key: int | None) -> Device | None:
    return session.get(Device, key) if key is not None else None


def devices(session: Session, organisation_ids: Collection[int]) -> Sequence[Device]:
    """The devices of the organisations, active ones first."""
    query = select(Device).where(Device.organisation_id.in_(organisation_ids))
    return session.scalars(query.order_by(Device.active.desc(), Device.code)).all()


def device_names(session: Session, keys: Collection[int]) -> dict[int, Device]:
    return {row.id: row for row in session.scalars(select(Device).where(Device.id.in_(keys)))}


def mappings(session: Session, device_id: int) -> Sequence[tuple[DeviceTestCode, LabTest]]:
    rows = session.execute(
        select(DeviceTestCode, LabTest)
        .join(LabTest, LabTest.code == DeviceTestCode.test_code)
        .where(DeviceTestCode.device_id == device_id)
        .order_by(DeviceTestCode.device_code)
    )
    return [(row[0], row[1]) for row in rows]


def unmapped_codes(session: Session, device_id: int) -> Sequence[tuple[str, str | None, int]]:
    """The codes of a device's values that no test is known for: code, its name, how many values."""
    rows = session.execute(
        select(LabResult.device_code, func.max(LabResult.device_name), func.count())
        .select_from(LabResult)
        .where(_of_device(device_id), LabResult.device_code.is_not(None))
        .group_by(LabResult.device_code)
        .order_by(func.count().desc(), LabResult.device_code)
    )
    return [(str(row[0]), row[1], int(row[2])) for row in rows]


def unmapped_results(session: Session, device_id: int, device_code: str) -> Sequence[LabResult]:
    """The values of a device's code that no test is known for, held until the transaction ends."""
    query = select(LabResult).where(_of_device(device_id), LabResult.device_code == device_code)
    return session.scalars(query.order_by(LabResult.id).with_for_update()).all()


def _of_device(device_id: int) -> ColumnElement[bool]:
    reports = (
        select(DiagnosticReport.id)
        .join(DeviceMessage, DeviceMessage.id == DiagnosticReport.device_message_id)
        .where(DeviceMessage.device_id == device_id)
    )
    return and_(LabResult.report_id.in_(reports), LabResult.test_code.is_(None), LabResult.voided_at.is_(None))


def tests_of_report(session: Session, report_id: int) -> set[str]:
    """The tests that a report has a value of."""
    query = select(LabResult.test_code).where(
        LabResult.report_id == report_id, LabResult.voided_at.is_(None), LabResult.test_code.is_not(None)
    )
    return {str(code) for code in session.scalars(query)}
