"""Signal cases: what has to be done about a person, by when, who answers for it, what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from operational.kit.base import Base, Created, PatientData, Voidable, void_has_reason


class SignalCase(Voidable, PatientData, Base):
    """A signal sheet as a case (FHIR Flag with a Task); the owner is the organisation that answers for it."""

    __tablename__ = "signal_case"
    __table_args__ = (
        CheckConstraint("severity in ('critical','attention')", name="severity"),
        CheckConstraint("audience in ('site','obstetrician')", name="audience"),
        CheckConstraint("subject in ('hospital_stay','death','pregnancy')", name="subject"),
        CheckConstraint("state in ('opened','delivered','seen','contacted','visited','closed')", name="state"),
        CheckConstraint("(state = 'closed') = (closed_at is not null)", name="closed"),
        CheckConstraint("(closed_at is null) = (outcome is null)", name="outcome"),
        CheckConstraint("due_at > opened_at", name="due"),
        CheckConstraint("closed_at >= opened_at", name="closed_after_opened"),
        void_has_reason(),
        UniqueConstraint("rule_code", "subject", "subject_id", name="uq_signal_case_subject"),
        UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_signal_case_part"),
        Index("ix_signal_case_open", "owner_organisation_id", "due_at", postgresql_where=text("state <> 'closed'")),
    )
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    # The rule and its version in signal_sheets/rules; the code of a sheet of the catalogue is the rule's code.
    rule_code: Mapped[str]
    rule_version: Mapped[int] = mapped_column(Integer)
    subject: Mapped[str]
    subject_id: Mapped[int]
    severity: Mapped[str]
    audience: Mapped[str]
    reason_code: Mapped[str]
    # What the rule saw: codes, dates and measured values, no identifiers.
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    advice_codes: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    recommendations: Mapped[str | None]
    origin_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    icd10_code: Mapped[str | None] = mapped_column(ForeignKey("icd10.code"))
    event_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    # Null where nobody is assigned: the case stands in the organisation's queue.
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"), index=True)
    nurse_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))
    state: Mapped[str] = mapped_column(server_default=text("'opened'"))
    delivered_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    contacted_at: Mapped[datetime | None]
    visited_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class SignalEvent(PatientData, Base):
    """What happened to a case, who did it and when; rows are only added."""

    __tablename__ = "signal_event"
    __table_args__ = (
        CheckConstraint(
            "kind in ('opened','reason_added','delivered','seen','contacted','visited','note','assigned',"
            "'closed','reopened')",
            name="kind",
        ),
        ForeignKeyConstraint(
            ["case_id", "patient_id", "owner_organisation_id"],
            ["signal_case.id", "signal_case.patient_id", "signal_case.owner_organisation_id"],
            name="fk_signal_event_case",
        ),
    )
    case_id: Mapped[int] = mapped_column(index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    kind: Mapped[str]
    at: Mapped[Created]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    note: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
