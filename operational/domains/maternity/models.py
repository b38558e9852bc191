"""Pregnancies, the organisations that lead them in turn, planned and held visits, risk factors, births."""

from __future__ import annotations

from datetime import date, datetime
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

from operational.kit.base import Base, Created, Dated, PatientData, Voidable, void_has_reason


def of_pregnancy(table: str) -> ForeignKeyConstraint:
    """A part of a pregnancy belongs to its woman; the owner is the organisation that wrote it."""
    return ForeignKeyConstraint(
        ["pregnancy_id", "patient_id"], ["pregnancy.id", "pregnancy.patient_id"], name=f"fk_{table}_pregnancy"
    )


class Pregnancy(Voidable, PatientData, Base):
    """A pregnancy under care (FHIR EpisodeOfCare): one that is open per woman in the whole region."""

    __tablename__ = "pregnancy"
    __table_args__ = (
        CheckConstraint("last_menstrual_date <= registered_on", name="last_menstrual_date"),
        CheckConstraint("registered_on - last_menstrual_date <= 320", name="term"),
        CheckConstraint("expected_delivery_date > last_menstrual_date", name="expected_delivery_date"),
        CheckConstraint("gravida >= 1 and para >= 0 and para < gravida + 10", name="parity"),
        CheckConstraint("risk_group in ('low','moderate','high')", name="risk_group"),
        CheckConstraint("ended_on >= last_menstrual_date", name="ended_on"),
        CheckConstraint("(ended_on is null) = (outcome is null)", name="outcome_at_end"),
        CheckConstraint(
            "outcome in ('birth','miscarriage','abortion','ectopic','missed','mother_died','left_region')",
            name="outcome",
        ),
        void_has_reason(),
        UniqueConstraint("id", "patient_id", name="uq_pregnancy_part"),
        Index("uq_pregnancy_open", "patient_id", unique=True,
              postgresql_where=text("ended_on is null and voided_at is null")),
    )  # fmt: skip
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    registered_on: Mapped[date]
    last_menstrual_date: Mapped[date]
    expected_delivery_date: Mapped[date]
    gravida: Mapped[int]
    para: Mapped[int]
    height_cm: Mapped[int | None]
    weight_before_kg: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    risk_group: Mapped[str]
    ended_on: Mapped[date | None]
    outcome: Mapped[str | None]
    note: Mapped[str | None]
    created_at: Mapped[Created]


class PregnancyCare(Dated, PatientData, Base):
    """Which organisation leads a pregnancy during a time, and which obstetrician; the owner is that organisation."""

    __tablename__ = "pregnancy_care"
    __table_args__ = (
        CheckConstraint("valid_to is null or valid_to >= valid_from", name="validity"),
        of_pregnancy("pregnancy_care"),
        ExcludeConstraint(
            ("pregnancy_id", "="), (literal_column("daterange(valid_from, valid_to)"), "&&"),
            name="ex_pregnancy_care_period", using="gist",
        ),
    )  # fmt: skip
    pregnancy_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))
    reason: Mapped[str | None]


class PregnancyRiskFactor(Voidable, PatientData, Base):
    """A risk factor found during a pregnancy; the codes and their levels are data."""

    __tablename__ = "pregnancy_risk_factor"
    __table_args__ = (
        void_has_reason(),
        of_pregnancy("pregnancy_risk_factor"),
        Index("uq_pregnancy_risk_factor_code", "pregnancy_id", "factor_code", unique=True,
              postgresql_where=text("voided_at is null")),
    )  # fmt: skip
    pregnancy_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    factor_code: Mapped[str]
    found_on: Mapped[date]


class PlannedPregnancyVisit(Voidable, PatientData, Base):
    """A visit that the rule plans: from when to when it is due."""

    __tablename__ = "planned_pregnancy_visit"
    __table_args__ = (
        CheckConstraint("due_to >= due_from", name="due"),
        void_has_reason(),
        of_pregnancy("planned_pregnancy_visit"),
        UniqueConstraint("pregnancy_id", "visit_no"),
    )
    pregnancy_id: Mapped[int]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    visit_no: Mapped[int] = mapped_column(Integer)
    due_from: Mapped[date]
    due_to: Mapped[date]


class PregnancyVisit(Voidable, PatientData, Base):
    """A visit of a pregnant woman with what was measured."""

    __tablename__ = "pregnancy_visit"
    __table_args__ = (
        CheckConstraint("place in ('polyclinic','home','hospital')", name="place"),
        CheckConstraint("gestation_days between 0 and 320", name="gestation"),
        CheckConstraint("weight_kg between 25 and 300", name="weight"),
        CheckConstraint("systolic between 30 and 350 and diastolic between 0 and 250", name="pressure"),
        CheckConstraint("systolic >= diastolic", name="pressure_order"),
        CheckConstraint("fundal_height_cm between 0 and 60", name="fundal_height"),
        CheckConstraint("fetal_heart_rate between 0 and 260", name="fetal_heart_rate"),
        CheckConstraint("proteinuria in ('none','trace','1+','2+','3+')", name="proteinuria"),
        CheckConstraint("oedema in ('none','legs','generalised')", name="oedema"),
        void_has_reason(),
        of_pregnancy("pregnancy_visit"),
        Index("uq_pregnancy_visit_no", "pregnancy_id", "visit_no", unique=True,
              postgresql_where=text("voided_at is null and visit_no is not null")),
        Index("ix_pregnancy_visit_visited", "pregnancy_id", "visited_at"),
    )  # fmt: skip
    pregnancy_id: Mapped[int]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    # The planned visit that this one fulfils; null for one beside the plan.
    visit_no: Mapped[int | None] = mapped_column(Integer)
    visited_at: Mapped[datetime]
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioner.id"))
    place: Mapped[str] = mapped_column(server_default=text("'polyclinic'"))
    gestation_days: Mapped[int]
    weight_kg: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    systolic: Mapped[int | None]
    diastolic: Mapped[int | None]
    fundal_height_cm: Mapped[int | None]
    fetal_heart_rate: Mapped[int | None]
    oedema: Mapped[str | None]
    proteinuria: Mapped[str | None]
    complaint: Mapped[str | None]
    conclusion: Mapped[str | None]
    next_visit_on: Mapped[date | None]


class Birth(Voidable, PatientData, Base):
    """One newborn of one delivery, live or still."""

    __tablename__ = "birth"
    __table_args__ = (
        CheckConstraint("birth_order between 1 and plurality and plurality between 1 and 9", name="plurality"),
        CheckConstraint("place in ('hospital','home','ambulance','other')", name="place"),
        CheckConstraint("vital_status in ('live','stillborn_antenatal','stillborn_intranatal')", name="vital_status"),
        CheckConstraint("sex in ('M','F','U')", name="sex"),
        CheckConstraint("delivery_mode in ('vaginal','caesarean_planned','caesarean_emergency','assisted')",
                        name="delivery_mode"),
        CheckConstraint("weight_g between 100 and 9000", name="weight"),
        CheckConstraint("length_cm between 15 and 75", name="length"),
        CheckConstraint("apgar_1 between 0 and 10 and apgar_5 between 0 and 10", name="apgar"),
        CheckConstraint("gestation_weeks between 20 and 45", name="gestation"),
        CheckConstraint("child_patient_id is null or vital_status = 'live'", name="child_lives"),
        CheckConstraint("child_patient_id <> patient_id", name="child_is_another"),
        void_has_reason(),
        of_pregnancy("birth"),
        Index("uq_birth_child", "child_patient_id", unique=True, postgresql_where=text("voided_at is null")),
        Index("uq_birth_order", "patient_id", "delivery_date", "birth_order", unique=True,
              postgresql_where=text("voided_at is null")),
    )  # fmt: skip
    # The mother.
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    pregnancy_id: Mapped[int | None] = mapped_column(index=True)
    child_patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    born_at: Mapped[datetime]
    # The local day of the delivery's first child: twins around midnight are one delivery.
    delivery_date: Mapped[date]
    birth_order: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    plurality: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    place: Mapped[str] = mapped_column(server_default=text("'hospital'"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    vital_status: Mapped[str]
    sex: Mapped[str]
    delivery_mode: Mapped[str]
    gestation_weeks: Mapped[int]
    weight_g: Mapped[int]
    length_cm: Mapped[int | None]
    apgar_1: Mapped[int | None]
    apgar_5: Mapped[int | None]
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))
    created_at: Mapped[Created]
