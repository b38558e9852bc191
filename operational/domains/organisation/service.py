"""What is done with organisations and staff. Changes keep history: the old row ends where the new one begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.names import name_key, name_matches, sort_key
from operational.domains.organisation import repository
from operational.domains.organisation.errors import (
    NotOfThisOrganisation,
    PeriodReversed,
    RoleEnded,
    UnknownCode,
    refusal_of,
)
from operational.domains.organisation.models import (
    Department,
    OrganisationVersion,
    Practitioner,
    PractitionerRole,
    Site,
    SiteAssignment,
)
from operational.domains.organisation.repository import OrganisationRow, StaffRow
from operational.domains.organisation.schemas import (
    AssignSite,
    MoveStaff,
    NewDepartment,
    NewSite,
    NewStaff,
    Rename,
)
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.errors import NotFound


@dataclass(frozen=True, slots=True)
class Branch:
    """An organisation in the tree; ``depth`` counts from the top of what the viewer sees."""

    organisation: OrganisationRow
    depth: int


def tree(session: Session, day: date) -> list[Branch]:
    """The organisations of the scope as they stand on a day, parents before children."""
    rows = repository.organisations(session, scope_of(session).organisation_ids, day)
    known = {row.id for row in rows}
    children: dict[int | None, list[OrganisationRow]] = {}
    for row in rows:
        children.setdefault(row.parent_id if row.parent_id in known else None, []).append(row)
    return list(_walk(children, None, 0))


def _walk(children: dict[int | None, list[OrganisationRow]], parent: int | None, depth: int) -> Iterator[Branch]:
    for row in children.get(parent, []):
        yield Branch(row, depth)
        yield from _walk(children, row.id, depth + 1)


def organisation(session: Session, organisation_id: int, day: date) -> OrganisationRow:
    """One organisation of the scope. Raises NotFound."""
    if organisation_id in scope_of(session).organisation_ids:
        for row in repository.organisations(session, [organisation_id], day):
            return row
    raise NotFound


def find_staff(session: Session, organisation_id: int, day: date, text: str) -> list[StaffRow]:
    """The staff of an organisation whose name the text finds, as patients' names are found."""
    organisation(session, organisation_id, day)
    rows = repository.staff(session, organisation_id, day)
    if not text.strip():
        return rows
    return [row for row in rows if name_matches(text, _key(row.practitioner))]


def _key(person: Practitioner) -> str:
    return name_key(person.surname, person.given_name, person.patronymic)


def staff_of_scope(session: Session, practitioner_id: int) -> tuple[Practitioner, list[StaffRow]]:
    """A practitioner with all positions in the scope. Raises NotFound when there is none."""
    allowed = scope_of(session).organisation_ids
    rows = [row for row in repository.roles_of(session, practitioner_id) if row.role.organisation_id in allowed]
    if not rows:
        raise NotFound
    return rows[0].practitioner, rows


def site_of_scope(session: Session, site_id: int) -> Site:
    """A site of the scope. Raises NotFound."""
    site = repository.site(session, site_id)
    if site is None or site.organisation_id not in scope_of(session).organisation_ids:
        raise NotFound
    return site


def role_of_scope(session: Session, role_id: int) -> PractitionerRole:
    """A position of the scope, locked. Raises NotFound."""
    role = repository.role(session, role_id)
    if role is None or role.organisation_id not in scope_of(session).organisation_ids:
        raise NotFound
    return role


# --- changes --------------------------------------------------------------------------------------------------


@contextmanager
def _refusing(session: Session) -> Iterator[None]:
    """Turns a refusal of the database into the error that the user understands."""
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from None


def move_staff(session: Session, role_id: int, move: MoveStaff) -> PractitionerRole:
    """End a position and begin the next one on the same day.

    Raises NotFound, RoleEnded, PeriodReversed, NotOfThisOrganisation, UnknownCode, PositionTaken.
    """
    role = role_of_scope(session, role_id)
    if role.valid_to is not None and role.valid_to <= move.valid_from:
        raise RoleEnded
    if move.valid_from <= role.valid_from:
        raise PeriodReversed
    _check_position(session, role.organisation_id, move.department_id, move.position_code, move.specialty_code)
    ends = role.valid_to
    with _refusing(session):
        role.valid_to = move.valid_from
        session.flush()
        new = PractitionerRole(
            practitioner_id=role.practitioner_id, organisation_id=role.organisation_id,
            department_id=move.department_id, specialty_code=move.specialty_code,
            position_code=move.position_code, valid_from=move.valid_from, valid_to=ends,
        )  # fmt: skip
        session.add(new)
    _audit(session, "staff.moved", "practitioner_role", new.id, new.organisation_id)
    return new


def assign_site(session: Session, site_id: int, wanted: AssignSite) -> SiteAssignment:
    """Let somebody answer for a site from a day on; who did so before, and where the person was, ends that day.

    Raises NotFound, NotOfThisOrganisation, PeriodReversed, SiteTaken.
    """
    site = site_of_scope(session, site_id)
    if not repository.works_in(session, wanted.practitioner_id, site.organisation_id, wanted.valid_from):
        raise NotOfThisOrganisation("practitioner_id")
    before = repository.open_assignment(session, wanted.valid_from, site_id=site.id, duty=wanted.duty)
    elsewhere = repository.open_assignment(
        session, wanted.valid_from, practitioner_id=wanted.practitioner_id, duty=wanted.duty
    )
    with _refusing(session):
        for old in {row.id: row for row in (before, elsewhere) if row is not None}.values():
            if old.valid_from >= wanted.valid_from:
                raise PeriodReversed
            old.valid_to = wanted.valid_from
        session.flush()
        new = SiteAssignment(
            site_id=site.id, practitioner_id=wanted.practitioner_id, duty=wanted.duty, valid_from=wanted.valid_from
        )
        session.add(new)
    _audit(session, "site.assigned", "site_assignment", new.id, site.organisation_id)
    return new


def add_staff(session: Session, organisation_id: int, new: NewStaff, today: date) -> PractitionerRole:
    """A new person of the staff with a position.

    Raises NotFound, NotOfThisOrganisation, UnknownCode.
    """
    organisation(session, organisation_id, today)
    _check_position(session, organisation_id, new.department_id, new.position_code, new.specialty_code)
    patronymic = new.patronymic or None
    with _refusing(session):
        person = Practitioner(
            surname=new.surname, given_name=new.given_name, patronymic=patronymic,
            sort_key=sort_key(new.surname, new.given_name, patronymic),
        )  # fmt: skip
        session.add(person)
        session.flush()
        role = PractitionerRole(
            practitioner_id=person.id, organisation_id=organisation_id, department_id=new.department_id,
            specialty_code=new.specialty_code, position_code=new.position_code, valid_from=new.valid_from,
        )  # fmt: skip
        session.add(role)
    _audit(session, "staff.added", "practitioner_role", role.id, organisation_id)
    return role


def add_department(session: Session, organisation_id: int, new: NewDepartment, today: date) -> Department:
    """A new department. Raises NotFound, UnknownCode, CodeTaken."""
    organisation(session, organisation_id, today)
    _check_code(session, "department_kind", new.kind, "kind")
    with _refusing(session):
        made = Department(organisation_id=organisation_id, **new.model_dump())
        session.add(made)
    _audit(session, "department.added", "department", made.id, organisation_id)
    return made


def add_site(session: Session, organisation_id: int, new: NewSite, today: date) -> Site:
    """A new site. Raises NotFound, CodeTaken."""
    organisation(session, organisation_id, today)
    with _refusing(session):
        made = Site(organisation_id=organisation_id, **new.model_dump())
        session.add(made)
    _audit(session, "site.added", "site", made.id, organisation_id)
    return made


def rename(session: Session, organisation_id: int, wanted: Rename, today: date) -> OrganisationVersion:
    """Another name from a day on; reports of earlier days keep the earlier one.

    Raises NotFound, PeriodReversed, VersionOverlaps.
    """
    organisation(session, organisation_id, today)
    old = repository.version_on(session, organisation_id, wanted.valid_from)
    if old is None or wanted.valid_from <= old.valid_from:
        raise PeriodReversed
    ends = old.valid_to
    with _refusing(session):
        old.valid_to = wanted.valid_from
        session.flush()
        new = OrganisationVersion(
            organisation_id=organisation_id, parent_id=old.parent_id, kato_code=old.kato_code,
            name_kk=wanted.name_kk, name_ru=wanted.name_ru, valid_from=wanted.valid_from, valid_to=ends,
        )  # fmt: skip
        session.add(new)
    _audit(session, "organisation.renamed", "organisation_version", new.id, organisation_id)
    return new


def _check_position(
    session: Session, organisation_id: int, department_id: int, position_code: str, specialty_code: str
) -> None:
    department = repository.department(session, department_id)
    if department is None or department.organisation_id != organisation_id:
        raise NotOfThisOrganisation
    _check_code(session, "position", position_code, "position_code")
    _check_code(session, "specialty", specialty_code, "specialty_code")


def _check_code(session: Session, directory_code: str, code: str, field: str) -> None:
    if code not in {name.code for name in repository.code_names(session, directory_code)}:
        raise UnknownCode(field)


def _audit(session: Session, action: str, table: str, key: int, organisation_id: int) -> None:
    audit(session, action, object_table=table, object_id=key, organisation_id=organisation_id)
