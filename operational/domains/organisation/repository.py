"""Queries on organisations, departments, sites and staff. They hold no patient data; the service keeps to the scope."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Select, Text, and_, column, func, or_, select, table
from sqlalchemy.orm import Session

from operational.domains.organisation.models import (
    Department,
    Organisation,
    OrganisationVersion,
    Practitioner,
    PractitionerRole,
    Room,
    Site,
    SiteAssignment,
)

# The small directories belong to a domain of the same tier, which is not imported.
CODED_VALUE = table(
    "coded_value",
    column("directory_code", Text),
    column("code", Text),
    column("name_kk", Text),
    column("name_ru", Text),
    column("sort_order"),
    column("active", Boolean),
)


@dataclass(frozen=True, slots=True)
class CodeName:
    """An entry of a small directory."""

    code: str
    name_kk: str
    name_ru: str


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """An organisation with its version of a day."""

    id: int
    code: str
    kind: str
    parent_id: int | None
    name_kk: str
    name_ru: str
    kato_code: str | None


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A position with its holder and department."""

    role: PractitionerRole
    practitioner: Practitioner
    department: Department

    @property
    def full_name(self) -> str:
        """Surname, given name, patronymic."""
        person = self.practitioner
        return " ".join(part for part in (person.surname, person.given_name, person.patronymic) if part)


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site with whom answers for it."""

    site: Site
    doctor: Practitioner | None
    nurse: Practitioner | None


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """A stretch of time in which somebody answered for a site."""

    assignment: SiteAssignment
    practitioner: Practitioner


def holds_on(model: Any, day: date) -> ColumnElement[bool]:
    """Rows that are valid on a day."""
    return and_(model.valid_from <= day, or_(model.valid_to.is_(None), model.valid_to > day))


def organisations(session: Session, ids: Collection[int], day: date) -> list[OrganisationRow]:
    rows = session.execute(
        select(Organisation, OrganisationVersion)
        .join(OrganisationVersion, OrganisationVersion.organisation_id == Organisation.id)
        .where(Organisation.id.in_(ids), holds_on(OrganisationVersion, day))
        .order_by(Organisation.code)
    )
    return [OrganisationRow(o.id, o.code, o.kind, v.parent_id, v.name_kk, v.name_ru, v.kato_code) for o, v in rows]


def versions(session: Session, organisation_id: int) -> Sequence[OrganisationVersion]:
    return session.scalars(
        select(OrganisationVersion)
        .where(OrganisationVersion.organisation_id == organisation_id)
        .order_by(OrganisationVersion.valid_from.desc())
    ).all()


def version_on(session: Session, organisation_id: int, day: date) -> OrganisationVersion | None:
    return session.scalars(
        select(OrganisationVersion).where(
            OrganisationVersion.organisation_id == organisation_id, holds_on(OrganisationVersion, day)
        )
    ).one_or_none()


def departments(session: Session, organisation_id: int, day: date) -> Sequence[Department]:
    return session.scalars(
        select(Department)
        .where(Department.organisation_id == organisation_id, holds_on(Department, day))
        .order_by(Department.code)
    ).all()


def department(session: Session, department_id: int) -> Department | None:
    return session.scalars(select(Department).where(Department.id == department_id)).one_or_none()


def rooms(session: Session, organisation_id: int) -> Sequence[Room]:
    return session.scalars(select(Room).where(Room.organisation_id == organisation_id).order_by(Room.code)).all()


def site(session: Session, site_id: int) -> Site | None:
    return session.scalars(select(Site).where(Site.id == site_id)).one_or_none()


def sites(session: Session, organisation_id: int, day: date) -> list[SiteRow]:
    found = session.scalars(
        select(Site).where(Site.organisation_id == organisation_id, holds_on(Site, day)).order_by(Site.code)
    ).all()
    answering = session.execute(
        select(SiteAssignment, Practitioner)
        .join(Practitioner, Practitioner.id == SiteAssignment.practitioner_id)
        .where(SiteAssignment.site_id.in_([row.id for row in found]), holds_on(SiteAssignment, day))
    )
    by_site = {(assignment.site_id, assignment.duty): person for assignment, person in answering}
    return [SiteRow(row, by_site.get((row.id, "doctor")), by_site.get((row.id, "nurse"))) for row in found]


def assignments(session: Session, site_id: int) -> list[AssignmentRow]:
    """Who answered for a site, newest first."""
    rows = session.execute(
        select(SiteAssignment, Practitioner)
        .join(Practitioner, Practitioner.id == SiteAssignment.practitioner_id)
        .where(SiteAssignment.site_id == site_id)
        .order_by(SiteAssignment.valid_from.desc())
    )
    return [AssignmentRow(assignment, person) for assignment, person in rows]


def open_assignment(
    session: Session, day: date, *, site_id: int | None = None, practitioner_id: int | None = None, duty: str
) -> SiteAssignment | None:
    """The assignment of a site, or of a practitioner, that holds on a day; locked until the transaction ends."""
    query = select(SiteAssignment).where(SiteAssignment.duty == duty, holds_on(SiteAssignment, day))
    if site_id is not None:
        query = query.where(SiteAssignment.site_id == site_id)
    if practitioner_id is not None:
        query = query.where(SiteAssignment.practitioner_id == practitioner_id)
    return session.scalars(query.order_by(SiteAssignment.id).limit(1).with_for_update()).one_or_none()


def _staff() -> Select[PractitionerRole, Practitioner, Department]:
    return (
        select(PractitionerRole, Practitioner, Department)
        .join(Practitioner, Practitioner.id == PractitionerRole.practitioner_id)
        .join(Department, Department.id == PractitionerRole.department_id)
    )


def staff(session: Session, organisation_id: int, day: date) -> list[StaffRow]:
    """Everyone who holds a position on a day, in the Kazakh order of names."""
    rows = session.execute(
        _staff()
        .where(PractitionerRole.organisation_id == organisation_id, holds_on(PractitionerRole, day))
        .order_by(Practitioner.sort_key, PractitionerRole.id)
    )
    return [StaffRow(*row) for row in rows]


def roles_of(session: Session, practitioner_id: int) -> list[StaffRow]:
    """All positions of a practitioner, newest first."""
    rows = session.execute(
        _staff()
        .where(PractitionerRole.practitioner_id == practitioner_id)
        .order_by(PractitionerRole.valid_from.desc(), PractitionerRole.id.desc())
    )
    return [StaffRow(*row) for row in rows]


def role(session: Session, role_id: int) -> PractitionerRole | None:
    """A position, locked until the transaction ends."""
    return session.scalars(
        select(PractitionerRole).where(PractitionerRole.id == role_id).with_for_update()
    ).one_or_none()


def practitioner(session: Session, practitioner_id: int) -> Practitioner | None:
    return session.scalars(select(Practitioner).where(Practitioner.id == practitioner_id)).one_or_none()


def works_in(session: Session, practitioner_id: int, organisation_id: int, day: date) -> bool:
    """Whether the practitioner holds a position of the organisation on a day."""
    found = session.scalar(
        select(func.count())
        .select_from(PractitionerRole)
        .where(
            PractitionerRole.practitioner_id == practitioner_id,
            PractitionerRole.organisation_id == organisation_id,
            holds_on(PractitionerRole, day),
        )
    )
    return bool(found)


def code_names(session: Session, directory_code: str) -> list[CodeName]:
    """The active entries of a small directory in their order."""
    columns = CODED_VALUE.c
    rows = session.execute(
        select(columns.code, columns.name_kk, columns.name_ru)
        .where(columns.directory_code == directory_code, columns.active)
        .order_by(columns.sort_order, columns.code)
    )
    return [CodeName(row.code, row.name_kk, row.name_ru) for row in rows]
