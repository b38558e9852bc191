"""Queries of what devices deliver. Row-level security narrows each to the organisations of the scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kmis.names import name_key
from operational.domains.catalogs.models import LabTest, Service
from operational.domains.orders.models import (
    Device,
    DeviceMessage,
    DeviceTestCode,
    DiagnosticOrder,
    DiagnosticReport,
    ImagingInstance,
    ImagingStudy,
    LabResult,
    OrderTest,
)
from operational.domains.orders.receiving_schemas import DeliveredInstance, KnownDevice, WorklistQuery
from operational.domains.organisation.models import Department, OrganisationVersion, Practitioner
from operational.domains.patients.models import Patient

# The columns of an index row that come from the object, with their types.
INSTANCE_COLUMNS = {
    "study_uid": "text", "series_uid": "text", "sop_uid": "text", "sop_class_uid": "text",
    "transfer_syntax_uid": "text", "series_number": "bigint", "instance_number": "bigint",
    "series_description": "text", "modality": "text", "frames": "int", "file_path": "text", "file_bytes": "bigint",
    "sha256": "bytea", "content_date": "date",
}  # fmt: skip
# In the driver's own form: it is also run without a session, for each slice that a modality waits on.
ADD_INSTANCES = (
    "with study as (select s.study_uid, s.status from imaging_study as s"
    " where s.study_uid = any (%(study_uid)s::text[]) and s.owner_organisation_id = %(organisation)s),"
    f" added as (insert into imaging_instance (owner_organisation_id, {', '.join(INSTANCE_COLUMNS)})"
    f" select %(organisation)s, {', '.join(f'i.{name}' for name in INSTANCE_COLUMNS)} from unnest("
    + ", ".join(f"%({name})s::{kind}[]" for name, kind in INSTANCE_COLUMNS.items())
    + f") as i ({', '.join(INSTANCE_COLUMNS)}) join study using (study_uid)"
    " on conflict (sop_uid) do nothing returning sop_uid, study_uid)"
    " select added.sop_uid, study.status from added join study using (study_uid)"
)


def lock(session: Session, *keys: str) -> None:
    """Let nobody else work on these keys until this transaction ends; always in one order, so nobody waits in a
    circle."""
    for key in sorted(keys):
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


# --- devices ----------------------------------------------------------------------------------------------


def device(session: Session, protocol: str, address: str) -> KnownDevice | None:
    """The active device that names itself so."""
    row = session.scalar(
        select(Device).where(Device.protocol == protocol, Device.address == address, Device.active.is_(True))
    )
    if row is None:
        return None
    return KnownDevice(row.id, row.organisation_id, row.code, row.protocol, row.address, row.modality, row.charset)


def device_code(session: Session, device_id: int) -> str | None:
    return session.scalar(select(Device.code).where(Device.id == device_id))


def device_organisations(session: Session, protocol: str) -> Sequence[int]:
    """The organisations that own a device of the protocol, active or not."""
    return session.scalars(select(Device.organisation_id).where(Device.protocol == protocol).distinct()).all()


def root_organisation(session: Session, day: date) -> int | None:
    """The organisation at the top of the tree: it keeps what nobody registered sent."""
    return session.scalar(
        select(OrganisationVersion.organisation_id)
        .where(
            OrganisationVersion.parent_id.is_(None),
            OrganisationVersion.valid_from <= day,
            or_(OrganisationVersion.valid_to.is_(None), OrganisationVersion.valid_to > day),
        )
        .order_by(OrganisationVersion.organisation_id)
        .limit(1)
    )


def test_codes(
    session: Session, device_id: int | None, codes: Iterable[str], loincs: Iterable[str]
) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """Three ways to a test: by the device's own code, by LOINC, and by the catalogue's code."""
    codes, loincs = set(codes), set(loincs)
    by_device = session.execute(
        select(DeviceTestCode.device_code, DeviceTestCode.test_code).where(
            DeviceTestCode.device_id == device_id, DeviceTestCode.device_code.in_(codes)
        )
    )
    by_loinc = session.execute(
        select(LabTest.loinc, LabTest.code)
        .where(LabTest.loinc.in_(codes | loincs), LabTest.active.is_(True))
        .order_by(LabTest.code.desc())
    )
    known = session.scalars(select(LabTest.code).where(LabTest.code.in_(codes)))
    return {row[0]: row[1] for row in by_device}, {str(row[0]): row[1] for row in by_loinc}, set(known)


# --- persons and orders -----------------------------------------------------------------------------------


def patient(session: Session, key: int) -> Patient | None:
    return session.scalar(select(Patient).where(Patient.id == key, Patient.voided_at.is_(None)))


def order_by_accession(
    session: Session, numbers: Sequence[str], category: str, organisation_id: int
) -> Sequence[DiagnosticOrder]:
    """The orders with these accession numbers that the organisation made or performs."""
    if not numbers:
        return ()
    return session.scalars(
        select(DiagnosticOrder)
        .where(
            DiagnosticOrder.accession_number.in_(numbers),
            DiagnosticOrder.category == category,
            or_(
                DiagnosticOrder.owner_organisation_id == organisation_id,
                DiagnosticOrder.performing_organisation_id == organisation_id,
            ),
        )
        .with_for_update()
    ).all()


def order(session: Session, key: int) -> DiagnosticOrder | None:
    """The order, held until the transaction ends."""
    return session.scalar(select(DiagnosticOrder).where(DiagnosticOrder.id == key).with_for_update())


def tests_without_result(session: Session, order_id: int) -> int:
    """How many tests of an order have no final value yet."""
    has_value = exists().where(
        and_(
            DiagnosticReport.order_id == order_id,
            DiagnosticReport.voided_at.is_(None),
            LabResult.report_id == DiagnosticReport.id,
            LabResult.voided_at.is_(None),
            LabResult.status != "preliminary",
            LabResult.test_code == OrderTest.test_code,
        )
    )
    query = select(func.count()).select_from(OrderTest).where(OrderTest.order_id == order_id, ~has_value)
    return session.scalar(query) or 0


# --- messages and reports ---------------------------------------------------------------------------------


def message_by_raw(session: Session, raw_sha256: str, device_id: int | None) -> DeviceMessage | None:
    """The row of the same bytes from the same sender."""
    return session.scalar(
        select(DeviceMessage).where(
            DeviceMessage.raw_sha256 == raw_sha256, DeviceMessage.device_id.is_not_distinct_from(device_id)
        )
    )


def message(session: Session, key: int) -> DeviceMessage | None:
    """The message, held until the transaction ends."""
    return session.scalar(select(DeviceMessage).where(DeviceMessage.id == key).with_for_update())


def report_of_filler(session: Session, organisation_id: int, filler_number: str) -> DiagnosticReport | None:
    return session.scalar(
        select(DiagnosticReport).where(
            DiagnosticReport.owner_organisation_id == organisation_id,
            DiagnosticReport.filler_number == filler_number,
            DiagnosticReport.voided_at.is_(None),
        )
    )


def unnumbered_report(session: Session, order_id: int) -> DiagnosticReport | None:
    """The report of an order that a device delivered without a number of its own."""
    return session.scalar(
        select(DiagnosticReport)
        .where(
            DiagnosticReport.order_id == order_id,
            DiagnosticReport.source == "device",
            DiagnosticReport.category == "laboratory",
            DiagnosticReport.filler_number.is_(None),
            DiagnosticReport.voided_at.is_(None),
        )
        .order_by(DiagnosticReport.id.desc())
        .limit(1)
    )


def reports_of_message(session: Session, message_id: int) -> Sequence[DiagnosticReport]:
    return session.scalars(
        select(DiagnosticReport).where(
            DiagnosticReport.device_message_id == message_id, DiagnosticReport.voided_at.is_(None)
        )
    ).all()


def results(session: Session, report_id: int) -> Sequence[LabResult]:
    """The values of a report that are not voided."""
    return session.scalars(
        select(LabResult).where(LabResult.report_id == report_id, LabResult.voided_at.is_(None))
    ).all()


# --- studies ----------------------------------------------------------------------------------------------


def has_study(session: Session, uid: str) -> bool:
    """Whether the scope sees the study."""
    return session.scalar(select(exists().where(ImagingStudy.study_uid == uid))) or False


def study(session: Session, key: int) -> ImagingStudy | None:
    """The study, held until the transaction ends."""
    return session.scalar(select(ImagingStudy).where(ImagingStudy.id == key).with_for_update())


def study_by_uid(session: Session, uid: str) -> ImagingStudy | None:
    """The study, held until the transaction ends."""
    return session.scalar(select(ImagingStudy).where(ImagingStudy.study_uid == uid).with_for_update())


def add_study(session: Session, values: dict[str, object]) -> bool:
    """Insert a study; False when there is one already, in whatever organisation."""
    query = insert(ImagingStudy).values(**values).on_conflict_do_nothing(index_elements=["study_uid"])
    return session.execute(query.returning(ImagingStudy.id)).first() is not None


def reopen_studies(session: Session, uids: Iterable[str]) -> None:
    """More objects come for studies that had been complete."""
    session.execute(
        update(ImagingStudy)
        .where(ImagingStudy.study_uid.in_(set(uids)), ImagingStudy.status == "available")
        .values(status="receiving")
    )


def add_instances(session: Session, organisation_id: int, batch: Sequence[DeliveredInstance]) -> dict[str, str]:
    """Insert index rows of the organisation's studies; returns each UID that was new, with its study's status."""
    rows = session.connection().exec_driver_sql(ADD_INSTANCES, instance_values(organisation_id, batch))
    return {row[0]: row[1] for row in rows}


def instance_values(organisation_id: int, batch: Sequence[DeliveredInstance]) -> dict[str, Any]:
    """The values of ADD_INSTANCES."""
    values: dict[str, Any] = {name: [getattr(item, name) for item in batch] for name in INSTANCE_COLUMNS}
    return values | {"organisation": organisation_id}


def digests(session: Session, sop_uids: Iterable[str]) -> dict[str, bytes]:
    """The digest of each visible object."""
    rows = session.execute(
        select(ImagingInstance.sop_uid, ImagingInstance.sha256).where(ImagingInstance.sop_uid.in_(set(sop_uids)))
    )
    return {row[0]: bytes(row[1]) for row in rows}


def instance_counts(session: Session, study_uid: str) -> tuple[int, int]:
    """Series and objects of a study."""
    row = session.execute(
        select(func.count(ImagingInstance.series_uid.distinct()), func.count()).where(
            ImagingInstance.study_uid == study_uid
        )
    ).one()
    return int(row[0]), int(row[1])


def quiet_studies(session: Session, before: datetime) -> Sequence[str]:
    """Studies still being received for which nothing has come since ``before``."""
    newer = exists().where(ImagingInstance.study_uid == ImagingStudy.study_uid, ImagingInstance.received_at >= before)
    return session.scalars(
        select(ImagingStudy.study_uid).where(
            ImagingStudy.status == "receiving", ImagingStudy.voided_at.is_(None), ~newer
        )
    ).all()


def instances(session: Session, study_uid: str) -> Sequence[ImagingInstance]:
    """The objects of a study, by series and number."""
    return session.scalars(
        select(ImagingInstance)
        .where(ImagingInstance.study_uid == study_uid)
        .order_by(
            ImagingInstance.series_number.nulls_last(),
            ImagingInstance.series_uid,
            ImagingInstance.instance_number.nulls_last(),
            ImagingInstance.sop_uid,
        )
    ).all()


def instance(session: Session, sop_uid: str) -> ImagingInstance | None:
    return session.scalar(select(ImagingInstance).where(ImagingInstance.sop_uid == sop_uid))


Waiting = tuple[DiagnosticOrder, Patient, Service | None, Department | None, Practitioner | None]


def open_imaging_orders(
    session: Session,
    organisation_id: int,
    query: WorklistQuery,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> list[Waiting]:
    """Imaging orders that wait to be performed by the organisation, with what a worklist says of them."""
    at = func.coalesce(DiagnosticOrder.scheduled_at, DiagnosticOrder.ordered_at)
    performer = func.coalesce(DiagnosticOrder.performing_organisation_id, DiagnosticOrder.owner_organisation_id)
    statement = (
        select(DiagnosticOrder, Patient, Service, Department, Practitioner)
        .join(Patient, Patient.id == DiagnosticOrder.patient_id)
        .outerjoin(Service, Service.code == DiagnosticOrder.service_code)
        .outerjoin(Department, Department.id == DiagnosticOrder.department_id)
        .outerjoin(Practitioner, Practitioner.id == DiagnosticOrder.practitioner_id)
        .where(
            DiagnosticOrder.category == "imaging",
            DiagnosticOrder.status.in_(("active", "in_progress")),
            performer == organisation_id,
        )
        .order_by(at, DiagnosticOrder.id)
        .limit(limit)
    )
    for column, wanted in (
        (DiagnosticOrder.accession_number, query.accession_number),
        (Patient.iin, query.patient_id),
        (DiagnosticOrder.modality, query.modality),
    ):
        if wanted:
            statement = statement.where(column.like(_pattern(wanted), escape="\\"))
    if query.station_aet:
        pattern = _pattern(query.station_aet)
        station = DiagnosticOrder.station_aet
        statement = statement.where(or_(station.is_(None), station.like(pattern, escape="\\")))
    if query.patient_name:
        statement = statement.where(Patient.name_key.like(_name_pattern(query.patient_name)))
    if since is not None:
        statement = statement.where(at >= since)
    if until is not None:
        statement = statement.where(at < until)
    return [(row[0], row[1], row[2], row[3], row[4]) for row in session.execute(statement)]


def _name_pattern(wanted: str) -> str:
    """The stored key folds Kazakh letters and case, which a device often cannot type; ``*`` ends a beginning."""
    words = wanted.replace("^", " ").replace("=", " ").split()
    pattern = "".join(name_key(word.strip("*?")) + ("%" if word.endswith(("*", "?")) else "") for word in words)
    return f"{pattern}%"


def _pattern(wanted: str) -> str:
    """DICOM's wildcards as SQL's (PS3.4 C.2.2.2.4)."""
    for plain, escaped in (("\\", "\\\\"), ("%", "\\%"), ("_", "\\_"), ("*", "%"), ("?", "_")):
        wanted = wanted.replace(plain, escaped)
    return wanted
