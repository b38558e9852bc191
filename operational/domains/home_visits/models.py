"""Home calls and actives."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from operational.kit.base import Base, Created, PatientData, Voidable, void_has_reason


class HomeCall(Voidable, PatientData, Base):
    """A call of a doctor or nurse to a patient's home, or an active that another service asked for."""

    __tablename__ = "home_call"
    __table_args__ = (
        CheckConstraint("kind in ('call','active')", name="kind"),
        CheckConstraint("source in ('patient','ambulance','hospital','polyclinic','signal')", name="source"),
        CheckConstraint("urgency in ('routine','urgent')", name="urgency"),
        CheckConstraint("status in ('registered','assigned','done','not_found','cancelled')", name="status"),
        CheckConstraint("status <> 'cancelled' or cancel_reason is not null", name="cancel_has_reason"),
        CheckConstraint("status <> 'assigned' or practitioner_id is not null", name="assigned_to_someone"),
        CheckConstraint("status not in ('done','not_found') or performed_at is not null", name="performed"),
        CheckConstraint("performed_at >= called_at", name="performed_after_call"),
        CheckConstraint("due_at >= called_at", name="due"),
        void_has_reason(),
        ForeignKeyConstraint(
            ["encounter_id", "patient_id"], ["encounter.id", "encounter.patient_id"], name="fk_home_call_encounter"
        ),
        ForeignKeyConstraint(["site_id", "owner_organisation_id"], ["site.id", "site.organisation_id"],
                             name="fk_home_call_site"),
        Index("ix_home_call_open", "owner_organisation_id", "due_at",
              postgresql_where=text("status in ('registered','assigned') and voided_at is null")),
    )  # fmt: skip
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int | None]
    kind: Mapped[str] = mapped_column(server_default=text("'call'"))
    source: Mapped[str]
    urgency: Mapped[str] = mapped_column(server_default=text("'routine'"))
    called_at: Mapped[datetime]
    due_at: Mapped[datetime]
    complaint: Mapped[str]
    address: Mapped[str | None]
    phone: Mapped[str | None]
    temperature_note: Mapped[str | None]
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"), index=True)
    status: Mapped[str] = mapped_column(server_default=text("'registered'"))
    assigned_at: Mapped[datetime | None]
    performed_at: Mapped[datetime | None]
    encounter_id: Mapped[int | None]
    result_note: Mapped[str | None]
    cancel_reason: Mapped[str | None]
    created_at: Mapped[Created]
