"""Visits, their diagnoses, services and referrals, drafts and signed documents."""

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
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from operational.kit.base import Base, Created, Key, PatientData, Voidable, void_has_reason


def of_encounter(table: str) -> ForeignKeyConstraint:
    """A part of a visit belongs to the visit's patient and owner."""
    return ForeignKeyConstraint(
        ["encounter_id", "patient_id", "owner_organisation_id"],
        ["encounter.id", "encounter.patient_id", "encounter.owner_organisation_id"],
        name=f"fk_{table}_encounter",
    )


class Encounter(Voidable, PatientData, Base):
    """A visit: outpatient, at home or remote."""

    __tablename__ = "encounter"
    __table_args__ = (
        CheckConstraint("place in ('polyclinic','home','remote')", name="place"),
        CheckConstraint("visit_kind in ('primary','repeat')", name="visit_kind"),
        CheckConstraint("status in ('in_progress','finished','entered_in_error')", name="status"),
        CheckConstraint("ended_at is null or ended_at >= started_at", name="times"),
        CheckConstraint("status <> 'finished' or (ended_at is not null and outcome is not null)", name="finished"),
        CheckConstraint("signed_at is null or status = 'finished' or voided_at is not null", name="signed_is_finished"),
        CheckConstraint("(status = 'entered_in_error') = (voided_at is not null)", name="voided"),
        void_has_reason(),
        ForeignKeyConstraint(
            ["practitioner_role_id", "practitioner_id", "owner_organisation_id"],
            ["practitioner_role.id", "practitioner_role.practitioner_id", "practitioner_role.organisation_id"],
            name="fk_encounter_role",
        ),
        ForeignKeyConstraint(
            ["department_id", "owner_organisation_id"], ["department.id", "department.organisation_id"],
            name="fk_encounter_department",
        ),
        ForeignKeyConstraint(
            ["appointment_id", "patient_id", "owner_organisation_id"],
            ["appointment.id", "appointment.patient_id", "appointment.owner_organisation_id"],
            name="fk_encounter_appointment",
        ),
        UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_encounter_part"),
        UniqueConstraint("id", "patient_id", name="uq_encounter_person"),
        Index("uq_encounter_appointment", "appointment_id", unique=True, postgresql_where=text("voided_at is null")),
        Index("ix_encounter_practitioner_started", "practitioner_id", "started_at"),
    )  # fmt: skip
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    appointment_id: Mapped[int | None]
    practitioner_id: Mapped[int]
    practitioner_role_id: Mapped[int]
    department_id: Mapped[int]
    place: Mapped[str] = mapped_column(server_default=text("'polyclinic'"))
    visit_reason: Mapped[str]
    visit_kind: Mapped[str]
    financing_source: Mapped[str]
    insurance_status: Mapped[str] = mapped_column(server_default=text("'unknown'"))
    status: Mapped[str] = mapped_column(server_default=text("'in_progress'"))
    outcome: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    complaints: Mapped[str | None]
    anamnesis: Mapped[str | None]
    objective: Mapped[str | None]
    plan: Mapped[str | None]
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_at: Mapped[Created]


class Condition(Voidable, PatientData, Base):
    """A diagnosis made at a visit."""

    __tablename__ = "condition"
    __table_args__ = (
        CheckConstraint("rank in ('main','complication','comorbid')", name="rank"),
        CheckConstraint("verification in ('preliminary','final')", name="verification"),
        CheckConstraint("character in ('acute','chronic_first','chronic_known','na')", name="character"),
        void_has_reason(),
        of_encounter("condition"),
        Index(
            "uq_condition_main", "encounter_id", unique=True,
            postgresql_where=text("rank = 'main' and voided_at is null"),
        ),
        Index(
            "uq_condition_code", "encounter_id", "icd10_code", unique=True,
            postgresql_where=text("voided_at is null"),
        ),
    )  # fmt: skip
    encounter_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    icd10_code: Mapped[str] = mapped_column(ForeignKey("icd10.code"))
    rank: Mapped[str]
    verification: Mapped[str] = mapped_column(server_default=text("'final'"))
    character: Mapped[str] = mapped_column(server_default=text("'na'"))
    first_in_life_flag: Mapped[bool] = mapped_column(server_default=text("false"))
    injury_type: Mapped[str | None]
    recorded_at: Mapped[Created]


class Procedure(Voidable, PatientData, Base):
    """A service performed at a visit."""

    __tablename__ = "procedure"
    __table_args__ = (
        CheckConstraint("quantity between 1 and 1000", name="quantity"),
        CheckConstraint("tariff_kzt >= 0", name="tariff"),
        void_has_reason(),
        of_encounter("procedure"),
    )
    encounter_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    service_code: Mapped[str] = mapped_column(ForeignKey("service.code"))
    quantity: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    tariff_kzt: Mapped[Decimal | None]
    performer_id: Mapped[int] = mapped_column(ForeignKey("practitioner.id"))
    financing_source: Mapped[str]
    performed_at: Mapped[datetime]


class ServiceRequest(PatientData, Base):
    """A referral made at a visit."""

    __tablename__ = "service_request"
    __table_args__ = (
        CheckConstraint("priority in ('routine','urgent')", name="priority"),
        CheckConstraint("status in ('active','completed','revoked')", name="status"),
        CheckConstraint("status <> 'revoked' or revoke_reason is not null", name="revoked_has_reason"),
        CheckConstraint("valid_until is null or valid_until >= (requested_at at time zone 'UTC')::date",
                        name="validity"),
        of_encounter("service_request"),
        UniqueConstraint("owner_organisation_id", "number"),
    )  # fmt: skip
    encounter_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    number: Mapped[str] = mapped_column(server_default=text("kmis_referral_number()"))
    kind: Mapped[str]
    service_code: Mapped[str | None] = mapped_column(ForeignKey("service.code"))
    target_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    specialty_code: Mapped[str | None]
    icd10_code: Mapped[str | None] = mapped_column(ForeignKey("icd10.code"))
    reason: Mapped[str]
    priority: Mapped[str] = mapped_column(server_default=text("'routine'"))
    status: Mapped[str] = mapped_column(server_default=text("'active'"))
    requested_at: Mapped[datetime]
    valid_until: Mapped[date | None]
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[str | None]


class SignedDocument(PatientData, Base):
    """A visit as it was signed: the canonical text, its digest and the patient's identity of that moment."""

    __tablename__ = "signed_document"
    __table_args__ = (of_encounter("signed_document"), UniqueConstraint("encounter_id", "version"))
    encounter_id: Mapped[int]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    version: Mapped[int] = mapped_column(Integer)
    patient_snapshot: Mapped[dict[str, Any]]
    canonical: Mapped[str]
    digest: Mapped[str]
    signed_at: Mapped[datetime]
    signed_by: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    method: Mapped[str]


class DocumentDraft(Base):
    """What an author has typed and not yet saved; only the author sees it, and it never reaches the feed."""

    __tablename__ = "document_draft"
    __table_args__ = (UniqueConstraint("author_id", "form_key", "subject_key"),)
    id: Mapped[Key]
    owner_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    form_key: Mapped[str]
    subject_key: Mapped[str]
    content: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
