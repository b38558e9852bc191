"""The register of persons: who they are, who sees them, where they are attached, which records are one person."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from operational.kit.base import Base, Created, Dated, Key, PatientData, Voidable, void_has_reason


class Patient(Voidable, PatientData, Base):
    """One record of a person in the region's register."""

    __tablename__ = "patient"
    __table_args__ = (
        CheckConstraint("iin is null or kmis_iin_valid(iin)", name="iin"),
        CheckConstraint("sex in ('M','F','U')", name="sex"),
        CheckConstraint(
            "identity_kind in ('citizen','foreigner','without_papers','unknown','newborn')", name="identity_kind"
        ),
        CheckConstraint("identity_kind <> 'citizen' or iin is not null", name="citizen_has_iin"),
        CheckConstraint(
            "identity_kind <> 'newborn' or (mother_id is not null and birth_order >= 1)", name="newborn_has_mother"
        ),
        CheckConstraint(
            "birth_date is not null or identity_kind in ('unknown','without_papers')", name="birth_date_known"
        ),
        CheckConstraint("birth_date <= (created_at at time zone 'UTC')::date + 1", name="birth_date_not_future"),
        CheckConstraint("birth_date >= date '1880-01-01'", name="birth_date_plausible"),
        CheckConstraint("death_date is null or birth_date is null or death_date >= birth_date", name="death_date"),
        CheckConstraint("merged_into_id is null or merged_into_id <> id", name="not_into_itself"),
        void_has_reason(),
        Index("uq_patient_iin", "iin", unique=True, postgresql_where=text("voided_at is null")),
        Index(
            "uq_patient_newborn", "mother_id", "birth_date", "birth_order", unique=True,
            postgresql_where=text("identity_kind = 'newborn' and voided_at is null"),
        ),
        Index(
            "ix_patient_name_key", "name_key", postgresql_using="gin",
            postgresql_ops={"name_key": "gin_trgm_ops"},
        ),
        Index("ix_patient_iin_tail", text("right(iin, 4)"), "birth_date"),
        # All records of one person, by the one that they are merged into.
        Index("ix_patient_person", text("coalesce(merged_into_id, id)")),
    )  # fmt: skip
    patient_no: Mapped[int] = mapped_column(Integer, server_default=text("nextval('patient_no_seq')"), unique=True)
    iin: Mapped[str | None]
    surname: Mapped[str]
    given_name: Mapped[str]
    patronymic: Mapped[str | None]
    earlier_surnames: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    name_key: Mapped[str]
    sort_key: Mapped[str] = mapped_column(index=True)
    birth_date: Mapped[date | None] = mapped_column(index=True)
    sex: Mapped[str]
    identity_kind: Mapped[str] = mapped_column(server_default=text("'citizen'"))
    mother_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    birth_order: Mapped[int | None]
    document_kind: Mapped[str | None]
    document_number: Mapped[str | None] = mapped_column(index=True)
    citizenship: Mapped[str] = mapped_column(server_default=text("'KAZ'"))
    phone: Mapped[str | None] = mapped_column(index=True)
    address: Mapped[str | None]
    residence_kato: Mapped[str | None]
    urban_flag: Mapped[bool | None]
    iin_mismatch_reason: Mapped[str | None]
    death_date: Mapped[date | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    created_at: Mapped[Created]


class PatientAccess(Base):
    """Which organisations see a person: derived by triggers from attachment, bookings and visits, or opened."""

    __tablename__ = "patient_access"
    __table_args__ = (UniqueConstraint("organisation_id", "patient_id"),)
    id: Mapped[Key]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    basis: Mapped[str]
    granted_at: Mapped[Created]


class Attachment(Dated, PatientData, Base):
    """The organisation and site of primary care that a person is attached to during a time."""

    __tablename__ = "attachment"
    __table_args__ = (
        CheckConstraint("valid_to is null or valid_to > valid_from", name="validity"),
        ForeignKeyConstraint(["site_id", "organisation_id"], ["site.id", "site.organisation_id"]),
        ExcludeConstraint(
            ("patient_id", "="), (literal_column("daterange(valid_from, valid_to)"), "&&"),
            name="ex_attachment_period", using="gist",
        ),
    )  # fmt: skip
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    site_id: Mapped[int] = mapped_column(index=True)
    reason: Mapped[str | None]


class PatientMerge(PatientData, Base):
    """A decision that two records are one person, and its taking back."""

    __tablename__ = "patient_merge"
    __table_args__ = (
        CheckConstraint("source_patient_id <> target_patient_id", name="two_records"),
        CheckConstraint("separated_at is null or separation_reason is not null", name="separation_has_reason"),
        Index(
            "uq_patient_merge_source_open", "source_patient_id", unique=True,
            postgresql_where=text("separated_at is null"),
        ),
    )  # fmt: skip
    source_patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    target_patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    reason: Mapped[str]
    merged_at: Mapped[Created]
    merged_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    separated_at: Mapped[datetime | None]
    separated_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    separation_reason: Mapped[str | None]


class Death(Voidable, PatientData, Base):
    """The death of a person, wherever it happened; one that is not voided per person."""

    __tablename__ = "death"
    __table_args__ = (
        CheckConstraint(
            "place in ('hospital','home','ambulance','workplace','street','other')", name="place"
        ),
        CheckConstraint("place <> 'hospital' or hospital_organisation_id is not null", name="hospital_named"),
        CheckConstraint(
            "maternal in ('no','pregnant','in_birth','within_42_days','within_year','unknown')", name="maternal"
        ),
        void_has_reason(),
        Index("uq_death_patient", "patient_id", unique=True, postgresql_where=text("voided_at is null")),
        Index(
            "uq_death_certificate", "certificate_number", unique=True, postgresql_where=text("voided_at is null")
        ),
    )  # fmt: skip
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    died_at: Mapped[datetime]
    time_known_flag: Mapped[bool] = mapped_column(server_default=text("true"))
    place: Mapped[str]
    hospital_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    underlying_icd10: Mapped[str] = mapped_column(ForeignKey("icd10.code"))
    immediate_icd10: Mapped[str | None] = mapped_column(ForeignKey("icd10.code"))
    certificate_number: Mapped[str | None]
    autopsy_flag: Mapped[bool] = mapped_column(server_default=text("false"))
    maternal: Mapped[str] = mapped_column(server_default=text("'no'"))
    note: Mapped[str | None]
    registered_at: Mapped[Created]
    registered_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
