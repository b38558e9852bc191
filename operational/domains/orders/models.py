"""Orders, reports, results, imaging studies, devices and their messages."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from operational.kit.base import Base, Created, Fed, Key, PatientData, Voidable, void_has_reason

CATEGORY = "category in ('laboratory','imaging')"


def of_order(table: str) -> ForeignKeyConstraint:
    """What belongs to an order belongs to its patient; the owner may be another organisation that performs it."""
    return ForeignKeyConstraint(
        ["order_id", "patient_id"], ["diagnostic_order.id", "diagnostic_order.patient_id"], name=f"fk_{table}_order"
    )


class DiagnosticOrder(PatientData, Base):
    """An order of laboratory tests or of an imaging study (FHIR ServiceRequest); its accession number is unique."""

    __tablename__ = "diagnostic_order"
    __table_args__ = (
        CheckConstraint(CATEGORY, name="category"),
        CheckConstraint("priority in ('routine','urgent','stat')", name="priority"),
        CheckConstraint("status in ('active','in_progress','completed','cancelled')", name="status"),
        CheckConstraint("(status = 'cancelled') = (cancelled_at is not null)", name="cancelled"),
        CheckConstraint("cancelled_at is null or cancel_reason is not null", name="cancel_has_reason"),
        CheckConstraint("category <> 'imaging' or modality is not null", name="modality"),
        CheckConstraint("accession_number ~ '^[A-Z0-9-]{1,16}$'", name="accession_number"),
        ForeignKeyConstraint(
            ["encounter_id", "patient_id"], ["encounter.id", "encounter.patient_id"],
            name="fk_diagnostic_order_encounter",
        ),
        UniqueConstraint("id", "patient_id", name="uq_diagnostic_order_part"),
        Index("ix_diagnostic_order_scheduled", "category", "scheduled_at"),
        Index("ix_diagnostic_order_ordered", "ordered_at"),
    )  # fmt: skip
    accession_number: Mapped[str] = mapped_column(server_default=text("kmis_accession_number()"), unique=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    category: Mapped[str]
    encounter_id: Mapped[int | None] = mapped_column(index=True)
    service_request_id: Mapped[int | None] = mapped_column(ForeignKey("service_request.id"))
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    performing_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    service_code: Mapped[str | None] = mapped_column(ForeignKey("service.code"))
    modality: Mapped[str | None]
    body_part: Mapped[str | None]
    icd10_code: Mapped[str | None] = mapped_column(ForeignKey("icd10.code"))
    clinical_note: Mapped[str | None]
    priority: Mapped[str] = mapped_column(server_default=text("'routine'"))
    status: Mapped[str] = mapped_column(server_default=text("'active'"))
    ordered_at: Mapped[datetime]
    scheduled_at: Mapped[datetime | None]
    station_aet: Mapped[str | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]


class OrderTest(PatientData, Base):
    """A laboratory test that an order asks for."""

    __tablename__ = "order_test"
    __table_args__ = (of_order("order_test"), UniqueConstraint("order_id", "test_code"))
    order_id: Mapped[int]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    test_code: Mapped[str] = mapped_column(ForeignKey("lab_test.code"))


class Device(Fed, Base):
    """A device or a system that delivers results: how it names itself, and whose it is."""

    __tablename__ = "device"
    __table_args__ = (
        CheckConstraint("kind in ('modality','analyser','laboratory_system')", name="kind"),
        CheckConstraint("protocol in ('dicom','hl7v2')", name="protocol"),
        CheckConstraint("protocol <> 'dicom' or address ~ '^[ -~]{1,16}$'", name="aet"),
        UniqueConstraint("protocol", "address"),
        ForeignKeyConstraint(["department_id", "organisation_id"], ["department.id", "department.organisation_id"]),
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    department_id: Mapped[int | None]
    code: Mapped[str] = mapped_column(unique=True)
    name_kk: Mapped[str]
    name_ru: Mapped[str]
    kind: Mapped[str]
    protocol: Mapped[str]
    # DICOM: the AE title; HL7: sending application and facility as "application|facility".
    address: Mapped[str]
    modality: Mapped[str | None]
    charset: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class DeviceTestCode(Fed, Base):
    """How a device names a test."""

    __tablename__ = "device_test_code"
    __table_args__ = (UniqueConstraint("device_id", "device_code"),)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"))
    device_code: Mapped[str]
    test_code: Mapped[str] = mapped_column(ForeignKey("lab_test.code"))


class DeviceMessage(PatientData, Base):
    """One message or object of a device as it came: where its raw form lies, what became of it."""

    __tablename__ = "device_message"
    __table_args__ = (
        CheckConstraint("protocol in ('dicom','hl7v2')", name="protocol"),
        CheckConstraint(
            "status in ('received','matched','unmatched','quarantined','rejected','resolved')", name="status"
        ),
        CheckConstraint("status <> 'matched' or patient_id is not null", name="matched"),
        CheckConstraint("status not in ('quarantined','rejected') or problem is not null", name="problem_named"),
        CheckConstraint("(status = 'resolved') = (resolved_at is not null)", name="resolved"),
        Index("ix_device_message_inbox", "owner_organisation_id", "received_at",
              postgresql_where=text("status in ('unmatched','quarantined')")),
        Index("ix_device_message_control", "device_id", "control_id"),
        UniqueConstraint("raw_sha256", "device_id", name="uq_device_message_raw", postgresql_nulls_not_distinct=True),
    )  # fmt: skip
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    protocol: Mapped[str]
    control_id: Mapped[str | None]
    received_at: Mapped[datetime]
    raw_path: Mapped[str]
    raw_bytes: Mapped[int]
    raw_sha256: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'received'"))
    problem: Mapped[str | None]
    # What the device says about the person and the order, for the one who matches by hand.
    stated: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("diagnostic_order.id"))
    matched_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    resolution: Mapped[str | None]


class DiagnosticReport(Voidable, PatientData, Base):
    """A report over results of one order or one message: laboratory, or the radiologist's description."""

    __tablename__ = "diagnostic_report"
    __table_args__ = (
        CheckConstraint(CATEGORY, name="category"),
        CheckConstraint("status in ('preliminary','final','corrected')", name="status"),
        CheckConstraint("source in ('manual','device')", name="source"),
        # A device's clock may be wrong, a person's entry may not.
        CheckConstraint(
            "source = 'device' or collected_at is null or collected_at <= issued_at + interval '5 minutes'",
            name="collected",
        ),
        void_has_reason(),
        of_order("diagnostic_report"),
        UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_diagnostic_report_part"),
        Index("ix_diagnostic_report_order", "order_id"),
        Index("uq_diagnostic_report_filler", "owner_organisation_id", "filler_number", unique=True,
              postgresql_where=text("filler_number is not null and voided_at is null")),
    )  # fmt: skip
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    order_id: Mapped[int | None]
    category: Mapped[str]
    source: Mapped[str]
    # The laboratory's own number of the report: a corrected message names it again.
    filler_number: Mapped[str | None]
    device_message_id: Mapped[int | None] = mapped_column(ForeignKey("device_message.id"))
    imaging_study_id: Mapped[int | None] = mapped_column(ForeignKey("imaging_study.id"))
    status: Mapped[str] = mapped_column(server_default=text("'final'"))
    collected_at: Mapped[datetime | None]
    issued_at: Mapped[datetime]
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))
    conclusion: Mapped[str | None]


class LabResult(Voidable, PatientData, Base):
    """One value of a laboratory report (FHIR Observation); a correction changes the row, the feed keeps the old."""

    __tablename__ = "lab_result"
    __table_args__ = (
        CheckConstraint("value_kind in ('numeric','text','coded')", name="value_kind"),
        CheckConstraint("(value_kind = 'numeric') = (value_number is not null)", name="number"),
        CheckConstraint("value_number is not null or value_text is not null", name="value"),
        CheckConstraint("comparator is null or comparator in ('<','<=','>=','>')", name="comparator"),
        CheckConstraint("interpretation is null or interpretation in ('LL','L','N','H','HH','A')",
                        name="interpretation"),
        CheckConstraint("status in ('preliminary','final','corrected')", name="status"),
        void_has_reason(),
        ForeignKeyConstraint(
            ["report_id", "patient_id", "owner_organisation_id"],
            ["diagnostic_report.id", "diagnostic_report.patient_id", "diagnostic_report.owner_organisation_id"],
            name="fk_lab_result_report",
        ),
        Index("uq_lab_result_test", "report_id", "test_code", unique=True,
              postgresql_where=text("voided_at is null and test_code is not null")),
        Index("ix_lab_result_trend", "patient_id", "test_code", "observed_at"),
    )  # fmt: skip
    report_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    # Null where the device's code is not mapped yet; what it said is kept beside it.
    test_code: Mapped[str | None] = mapped_column(ForeignKey("lab_test.code"))
    device_code: Mapped[str | None]
    device_name: Mapped[str | None]
    value_kind: Mapped[str]
    value_number: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    comparator: Mapped[str | None]
    value_text: Mapped[str | None]
    unit: Mapped[str | None]
    reference_low: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    reference_high: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    interpretation: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=text("'final'"))
    observed_at: Mapped[datetime]


class ImagingStudy(Voidable, PatientData, Base):
    """A DICOM study as it was received; without a patient it waits in the inbox."""

    __tablename__ = "imaging_study"
    __table_args__ = (
        CheckConstraint("status in ('receiving','available')", name="status"),
        CheckConstraint("instances >= 0 and series >= 0", name="counts"),
        CheckConstraint("(patient_id is null) = (matched_at is null)", name="matched"),
        void_has_reason(),
        of_order("imaging_study"),
        Index("ix_imaging_study_inbox", "owner_organisation_id", "received_at",
              postgresql_where=text("patient_id is null and voided_at is null")),
    )  # fmt: skip
    study_uid: Mapped[str] = mapped_column(unique=True)
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    accession_number: Mapped[str | None]
    modality: Mapped[str | None]
    body_part: Mapped[str | None]
    description: Mapped[str | None]
    started_at: Mapped[datetime]
    received_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default=text("'receiving'"))
    series: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    instances: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    stated: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    matched_at: Mapped[datetime | None]
    matched_by: Mapped[str | None]
    matched_user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class ImagingInstance(Base):
    """The index of stored DICOM objects: one row per object, written before the device is told so.

    It is no part of the feed: a study's row carries the counts, and hundreds of objects come in a second.
    """

    __tablename__ = "imaging_instance"
    __table_args__ = (Index("ix_imaging_instance_order", "study_uid", "series_number", "instance_number"),)
    id: Mapped[Key]
    owner_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    study_uid: Mapped[str]
    series_uid: Mapped[str] = mapped_column(index=True)
    sop_uid: Mapped[str] = mapped_column(unique=True)
    sop_class_uid: Mapped[str]
    transfer_syntax_uid: Mapped[str]
    series_number: Mapped[int | None]
    instance_number: Mapped[int | None]
    series_description: Mapped[str | None]
    modality: Mapped[str | None]
    frames: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    file_path: Mapped[str]
    file_bytes: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[Created]
    content_date: Mapped[date | None]
