"""Organisations, departments, sites, staff and rooms, with their history."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    ColumnClause,
    ForeignKey,
    ForeignKeyConstraint,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from operational.kit.base import Base, Dated, Fed

PERIOD: ColumnClause[object] = literal_column("daterange(valid_from, valid_to)")


def in_order() -> CheckConstraint:
    """A validity that ends after it begins."""
    return CheckConstraint("valid_to is null or valid_to > valid_from", name="validity")


class Organisation(Fed, Base):
    """An organisation's identity; what changes over time stands in its versions."""

    __tablename__ = "organisation"
    __table_args__ = (CheckConstraint("kind in ('region','district','hospital','polyclinic','rural')", name="kind"),)
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    bin: Mapped[str | None]


class OrganisationVersion(Dated, Fed, Base):
    """Name, place in the tree and territory of an organisation during a time."""

    __tablename__ = "organisation_version"
    __table_args__ = (
        in_order(),
        CheckConstraint("parent_id is null or parent_id <> organisation_id", name="parent"),
        ExcludeConstraint(
            ("organisation_id", "="), (PERIOD, "&&"), name="ex_organisation_version_period", using="gist"
        ),
        CheckConstraint("perinatal_level between 1 and 3", name="perinatal_level"),
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    name_kk: Mapped[str]
    name_ru: Mapped[str]
    kato_code: Mapped[str | None]
    perinatal_level: Mapped[int | None]


class Department(Dated, Fed, Base):
    """A department of an organisation."""

    __tablename__ = "department"
    __table_args__ = (
        in_order(),
        UniqueConstraint("organisation_id", "code"),
        UniqueConstraint("id", "organisation_id"),
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    code: Mapped[str]
    kind: Mapped[str]
    name_kk: Mapped[str]
    name_ru: Mapped[str]


class BedStock(Dated, Fed, Base):
    """How many beds of a profile a department has during a time; the denominator of occupancy."""

    __tablename__ = "bed_stock"
    __table_args__ = (
        in_order(),
        CheckConstraint("beds between 0 and 5000", name="beds"),
        CheckConstraint("hospital_kind in ('round_the_clock','day')", name="hospital_kind"),
        ForeignKeyConstraint(["department_id", "organisation_id"], ["department.id", "department.organisation_id"]),
        ExcludeConstraint(
            ("department_id", "="), ("bed_profile", "="), (PERIOD, "&&"), name="ex_bed_stock_period", using="gist"
        ),
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    department_id: Mapped[int]
    bed_profile: Mapped[str]
    hospital_kind: Mapped[str] = mapped_column(server_default=text("'round_the_clock'"))
    beds: Mapped[int]


class Site(Dated, Fed, Base):
    """A site (участок) of primary care: the people whom one doctor answers for."""

    __tablename__ = "site"
    __table_args__ = (
        in_order(),
        CheckConstraint("kind in ('therapeutic','paediatric','general_practice')", name="kind"),
        UniqueConstraint("organisation_id", "code"),
        UniqueConstraint("id", "organisation_id"),
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    code: Mapped[str]
    kind: Mapped[str]
    name_kk: Mapped[str]
    name_ru: Mapped[str]


class Practitioner(Fed, Base):
    """A person of the staff."""

    __tablename__ = "practitioner"
    surname: Mapped[str]
    given_name: Mapped[str]
    patronymic: Mapped[str | None]
    sort_key: Mapped[str] = mapped_column(index=True)
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class PractitionerRole(Dated, Fed, Base):
    """A position of a practitioner in a department during a time."""

    __tablename__ = "practitioner_role"
    __table_args__ = (
        in_order(),
        UniqueConstraint("id", "organisation_id"),
        UniqueConstraint("id", "practitioner_id", "organisation_id"),
        ExcludeConstraint(
            ("practitioner_id", "="), ("department_id", "="), ("position_code", "="), (PERIOD, "&&"),
            name="ex_practitioner_role_period", using="gist",
        ),
    )  # fmt: skip
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioner.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"), index=True)
    specialty_code: Mapped[str]
    position_code: Mapped[str]


class SiteAssignment(Dated, Fed, Base):
    """The doctor or the nurse who answers for a site during a time."""

    __tablename__ = "site_assignment"
    __table_args__ = (
        in_order(),
        CheckConstraint("duty in ('doctor','nurse')", name="duty"),
        ExcludeConstraint(
            ("site_id", "="), ("duty", "="), (PERIOD, "&&"), name="ex_site_assignment_period", using="gist"
        ),
    )
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioner.id"), index=True)
    duty: Mapped[str]


class Room(Fed, Base):
    """A room of an organisation."""

    __tablename__ = "room"
    __table_args__ = (UniqueConstraint("organisation_id", "code"), UniqueConstraint("id", "organisation_id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    code: Mapped[str]
    name_kk: Mapped[str]
    name_ru: Mapped[str]
