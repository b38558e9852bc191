"""The declarative base: naming of constraints, the identity key, the mark of patient data, the feed's mark."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    MetaData,
    Numeric,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Key = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
When = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Created = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]


class Base(DeclarativeBase):
    """Base of every operational table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        date: Date,
        Decimal: Numeric(12, 2),
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
    }


class Fed:
    """A table whose every change is written to the change feed, and which nobody truncates.

    The migration that makes the table calls ``kmis_guard_table``; a catalogue test holds both together.
    """

    id: Mapped[Key]


class Dated:
    """A row that holds for a time: from ``valid_from`` (included) to ``valid_to`` (not included; null: still)."""

    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class PatientData(Fed):
    """A row of patient data: it has an owner, set once, and row-level security shows it to the owner's scope."""

    @declared_attr
    def owner_organisation_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("organisation.id"), index=True)


class Voidable:
    """A row that was entered in error stays, marked, with the reason."""

    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]


def void_has_reason() -> CheckConstraint:
    """A voided row says why."""
    return CheckConstraint("voided_at is null or void_reason is not null", name="void_has_reason")
