"""Presentations, stays with their diagnoses, movements, vital signs, operations and transfusions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from operational.kit.base import Base, Created, PatientData, Voidable, void_has_reason


def of_stay(table: str) -> ForeignKeyConstraint:
    """A part of a stay belongs to the stay's patient and owner."""
    return ForeignKeyConstraint(
        ["stay_id", "patient_id", "owner_organisation_id"],
        ["hospital_stay.id", "hospital_stay.patient_id", "hospital_stay.owner_organisation_id"],
        name=f"fk_{table}_stay",
    )


class HospitalPresentation(Voidable, PatientData, Base):
    """A person comes or is brought to the admission department; one decision closes it."""

    __tablename__ = "hospital_presentation"
    __table_args__ = (
        CheckConstraint("decision in ('waiting','admitted','refused','transferred','left','died')", name="decision"),
        CheckConstraint("(decision = 'waiting') = (decided_at is null)", name="decided"),
        CheckConstraint("decided_at >= arrived_at", name="decided_after_arrival"),
        CheckConstraint("seen_at >= arrived_at", name="seen_after_arrival"),
        CheckConstraint("decision <> 'refused' or refusal_reason is not null", name="refusal_has_reason"),
        CheckConstraint("decision <> 'transferred' or target_organisation_id is not null", name="transfer_target"),
        CheckConstraint("triage_zone in ('red','yellow','green')", name="triage_zone"),
        CheckConstraint("admission_type in ('planned','emergency')", name="admission_type"),
        CheckConstraint("pulse between 0 and 300", name="pulse"),
        CheckConstraint("systolic between 0 and 350 and diastolic between 0 and 250", name="pressure"),
        CheckConstraint("spo2 between 0 and 100", name="spo2"),
        CheckConstraint("temperature between 20 and 45", name="temperature"),
        CheckConstraint("respiratory_rate between 0 and 120", name="respiratory_rate"),
        void_has_reason(),
        ForeignKeyConstraint(
            ["department_id", "owner_organisation_id"], ["department.id", "department.organisation_id"],
            name="fk_hospital_presentation_department",
        ),
        UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_hospital_presentation_part"),
        Index("uq_hospital_presentation_waiting", "owner_organisation_id", "patient_id", unique=True,
              postgresql_where=text("decision = 'waiting' and voided_at is null")),
        Index("ix_hospital_presentation_arrived", "owner_organisation_id", "arrived_at"),
    )  # fmt: skip
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    department_id: Mapped[int]
    admission_type: Mapped[str] = mapped_column(server_default=text("'emergency'"))
    arrived_at: Mapped[datetime]
    arrival_channel: Mapped[str]
    referring_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    service_request_id: Mapped[int | None] = mapped_column(ForeignKey("service_request.id"))
    triage_zone: Mapped[str | None]
    complaint: Mapped[str | None]
    pulse: Mapped[int | None]
    systolic: Mapped[int | None]
    diastolic: Mapped[int | None]
    spo2: Mapped[int | None]
    temperature: Mapped[Decimal | None] = mapped_column(Numeric(3, 1))
    respiratory_rate: Mapped[int | None]
    seen_at: Mapped[datetime | None]
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))
    icd10_code: Mapped[str | None] = mapped_column(ForeignKey("icd10.code"))
    decision: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    decided_at: Mapped[datetime | None]
    refusal_reason: Mapped[str | None]
    target_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    note: Mapped[str | None]
    created_at: Mapped[Created]


class HospitalStay(Voidable, PatientData, Base):
    """An inpatient stay; stays of one person never overlap, whichever hospital holds them."""

    __tablename__ = "hospital_stay"
    __table_args__ = (
        CheckConstraint("admission_type in ('planned','emergency')", name="admission_type"),
        CheckConstraint("hospital_kind in ('round_the_clock','day')", name="hospital_kind"),
        CheckConstraint("discharged_at >= admitted_at", name="times"),
        CheckConstraint("outcome in ('discharged','transferred','left','died')", name="outcome"),
        CheckConstraint("(discharged_at is null) = (outcome is null)", name="outcome_at_discharge"),
        CheckConstraint("treatment_result in ('recovery','improvement','no_change','worsening','death')",
                        name="treatment_result"),
        CheckConstraint("outcome <> 'transferred' or target_organisation_id is not null", name="transfer_target"),
        CheckConstraint("condition in ('satisfactory','moderate','severe','extremely_severe')", name="condition"),
        CheckConstraint("signed_at is null or discharged_at is not null", name="signed_is_discharged"),
        void_has_reason(),
        ForeignKeyConstraint(
            ["presentation_id", "patient_id", "owner_organisation_id"],
            ["hospital_presentation.id", "hospital_presentation.patient_id",
             "hospital_presentation.owner_organisation_id"],
            name="fk_hospital_stay_presentation",
        ),
        UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_hospital_stay_part"),
        UniqueConstraint("owner_organisation_id", "case_number", name="uq_hospital_stay_case_number"),
        Index("uq_hospital_stay_presentation", "presentation_id", unique=True,
              postgresql_where=text("voided_at is null")),
        Index("ix_hospital_stay_open", "owner_organisation_id",
              postgresql_where=text("discharged_at is null and voided_at is null")),
        ExcludeConstraint(
            ("patient_id", "="), (literal_column("tstzrange(admitted_at, discharged_at)"), "&&"),
            name="ex_hospital_stay_period", using="gist", where=text("voided_at is null"),
        ),
    )  # fmt: skip
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    presentation_id: Mapped[int | None]
    case_number: Mapped[str] = mapped_column(server_default=text("kmis_case_number()"))
    admission_type: Mapped[str]
    hospital_kind: Mapped[str] = mapped_column(server_default=text("'round_the_clock'"))
    arrival_channel: Mapped[str]
    referring_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    financing_source: Mapped[str]
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioner.id"))
    condition: Mapped[str | None]
    admitted_at: Mapped[datetime]
    discharged_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    treatment_result: Mapped[str | None]
    target_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    epicrisis: Mapped[str | None]
    recommendations: Mapped[str | None]
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    created_at: Mapped[Created]


class StayDiagnosis(Voidable, PatientData, Base):
    """A diagnosis of a stay: at admission, clinical, or final."""

    __tablename__ = "stay_diagnosis"
    __table_args__ = (
        CheckConstraint("phase in ('admission','clinical','final')", name="phase"),
        CheckConstraint("rank in ('main','complication','comorbid')", name="rank"),
        void_has_reason(),
        of_stay("stay_diagnosis"),
        Index("uq_stay_diagnosis_main", "stay_id", "phase", unique=True,
              postgresql_where=text("rank = 'main' and voided_at is null")),
        Index("uq_stay_diagnosis_code", "stay_id", "phase", "icd10_code", unique=True,
              postgresql_where=text("voided_at is null")),
    )  # fmt: skip
    stay_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    phase: Mapped[str]
    rank: Mapped[str]
    icd10_code: Mapped[str] = mapped_column(ForeignKey("icd10.code"))
    established_at: Mapped[datetime]


class WardMovement(Voidable, PatientData, Base):
    """A part of a stay spent in one department, ward and bed."""

    __tablename__ = "ward_movement"
    __table_args__ = (
        CheckConstraint("ended_at >= started_at", name="times"),
        void_has_reason(),
        of_stay("ward_movement"),
        ForeignKeyConstraint(
            ["department_id", "owner_organisation_id"], ["department.id", "department.organisation_id"],
            name="fk_ward_movement_department",
        ),
        ExcludeConstraint(
            ("stay_id", "="), (literal_column("tstzrange(started_at, ended_at)"), "&&"),
            name="ex_ward_movement_period", using="gist", where=text("voided_at is null"),
        ),
        ExcludeConstraint(
            ("department_id", "="), ("bed", "="), (literal_column("tstzrange(started_at, ended_at)"), "&&"),
            name="ex_ward_movement_bed", using="gist", where=text("voided_at is null and bed is not null"),
        ),
    )  # fmt: skip
    stay_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    department_id: Mapped[int] = mapped_column(index=True)
    bed_profile: Mapped[str]
    ward: Mapped[str | None]
    bed: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class VitalSign(Voidable, PatientData, Base):
    """One round of measurements: the points of the temperature sheet."""

    __tablename__ = "vital_sign"
    __table_args__ = (
        CheckConstraint("temperature between 20 and 45", name="temperature"),
        CheckConstraint("pulse between 0 and 300", name="pulse"),
        CheckConstraint("systolic between 0 and 350 and diastolic between 0 and 250", name="pressure"),
        CheckConstraint("systolic >= diastolic", name="pressure_order"),
        CheckConstraint("respiratory_rate between 0 and 120", name="respiratory_rate"),
        CheckConstraint("spo2 between 0 and 100", name="spo2"),
        CheckConstraint("num_nonnulls(temperature, pulse, systolic, respiratory_rate, spo2) > 0", name="some_value"),
        void_has_reason(),
        of_stay("vital_sign"),
        Index("ix_vital_sign_stay", "stay_id", "measured_at"),
    )  # fmt: skip
    stay_id: Mapped[int]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    measured_at: Mapped[datetime]
    temperature: Mapped[Decimal | None] = mapped_column(Numeric(3, 1))
    pulse: Mapped[int | None]
    systolic: Mapped[int | None]
    diastolic: Mapped[int | None]
    respiratory_rate: Mapped[int | None]
    spo2: Mapped[int | None]
    chills_flag: Mapped[bool] = mapped_column(server_default=text("false"))
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))


class StayOperation(Voidable, PatientData, Base):
    """A surgical operation during a stay."""

    __tablename__ = "stay_operation"
    __table_args__ = (
        CheckConstraint("ended_at >= started_at", name="times"),
        CheckConstraint("urgency in ('planned','urgent','emergency')", name="urgency"),
        CheckConstraint("anaesthesia in ('none','local','regional','general','combined')", name="anaesthesia"),
        void_has_reason(),
        of_stay("stay_operation"),
    )
    stay_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    operation_code: Mapped[str] = mapped_column(ForeignKey("operation.code"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    surgeon_id: Mapped[int] = mapped_column(ForeignKey("practitioner.id"))
    urgency: Mapped[str]
    anaesthesia: Mapped[str]
    complication: Mapped[str | None]
    protocol: Mapped[str | None]


class Transfusion(Voidable, PatientData, Base):
    """A transfusion of blood or of a component during a stay."""

    __tablename__ = "transfusion"
    __table_args__ = (
        CheckConstraint(
            "component in ('whole_blood','red_cells','plasma','platelets','cryoprecipitate','albumin')",
            name="component",
        ),
        CheckConstraint("volume_ml between 1 and 10000", name="volume"),
        CheckConstraint("blood_group in ('O','A','B','AB')", name="blood_group"),
        CheckConstraint("rhesus in ('+','-')", name="rhesus"),
        CheckConstraint("ended_at >= started_at", name="times"),
        CheckConstraint("not reaction_flag or reaction_note is not null", name="reaction_named"),
        void_has_reason(),
        of_stay("transfusion"),
    )
    stay_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    component: Mapped[str]
    volume_ml: Mapped[int]
    blood_group: Mapped[str]
    rhesus: Mapped[str]
    unit_number: Mapped[str]
    indication: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reaction_flag: Mapped[bool] = mapped_column(server_default=text("false"))
    reaction_note: Mapped[str | None]
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioner.id"))
