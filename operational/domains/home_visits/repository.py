"""Queries on home calls. Row-level security narrows each to the acting user's organisations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from operational.domains.encounters.models import Encounter
from operational.domains.home_visits.models import HomeCall
from operational.domains.organisation.models import Department, Practitioner, PractitionerRole, Site, SiteAssignment
from operational.domains.patients import repository as patients
from operational.domains.patients.models import Attachment, Patient
from operational.domains.patients.search import Criteria

OPEN = ("registered", "assigned")


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call with its patient, who goes, and the site."""

    call: HomeCall
    patient: Patient
    practitioner: Practitioner | None
    site: Site | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who serves a patient's calls on a day: the site of attachment and its doctor."""

    organisation_id: int
    site_id: int
    practitioner_id: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the journal is narrowed to; times are the day's beginning and end."""

    start: datetime
    end: datetime
    now: datetime
    today_flag: bool
    status: str = ""
    site_id: int | None = None
    practitioner_id: int | None = None
    kind: str = ""
    urgency: str = ""
    overdue_flag: bool = False
    criteria: Criteria | None = None


def patient(session: Session, key: int) -> Patient | None:
    return session.get(Patient, key)


def call(session: Session, key: int, *, lock: bool = False) -> HomeCall | None:
    query = select(HomeCall).where(HomeCall.id == key)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)


def row(session: Session, key: int) -> CallRow | None:
    found = session.execute(_rows().where(HomeCall.id == key)).first()
    return _row(found) if found else None


def _row(found: Any) -> CallRow:
    return CallRow(found[0], found[1], found[2], found[3])


def _rows() -> Any:
    return (
        select(HomeCall, Patient, Practitioner, Site)
        .join(Patient, Patient.id == HomeCall.patient_id)
        .outerjoin(Practitioner, Practitioner.id == HomeCall.practitioner_id)
        .outerjoin(Site, Site.id == HomeCall.site_id)
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Calls that came or are due on the day; today also those that are overdue and still open."""
    is_open = and_(HomeCall.status.in_(OPEN), HomeCall.voided_at.is_(None))
    of_day = or_(
        and_(HomeCall.called_at >= wanted.start, HomeCall.called_at < wanted.end),
        and_(HomeCall.due_at >= wanted.start, HomeCall.due_at < wanted.end),
    )
    if wanted.today_flag:
        of_day = or_(of_day, and_(is_open, HomeCall.due_at < wanted.start))
    found: list[ColumnElement[bool]] = [of_day]
    if wanted.status == "open":
        found.append(is_open)
    elif wanted.status == "voided":
        found.append(HomeCall.voided_at.is_not(None))
    elif wanted.status:
        found += [HomeCall.status == wanted.status, HomeCall.voided_at.is_(None)]
    if wanted.site_id is not None:
        found.append(HomeCall.site_id == wanted.site_id)
    if wanted.practitioner_id is not None:
        found.append(HomeCall.practitioner_id == wanted.practitioner_id)
    if wanted.kind:
        found.append(HomeCall.kind == wanted.kind)
    if wanted.urgency:
        found.append(HomeCall.urgency == wanted.urgency)
    if wanted.overdue_flag:
        found += [is_open, HomeCall.due_at < wanted.now]
    if wanted.criteria is not None and not wanted.criteria.empty:
        found.append(patients.matches(wanted.criteria))
    return found


def journal(
    session: Session, wanted: Wanted, *, sort: str, descending: bool, offset: int, limit: int
) -> tuple[list[CallRow], int]:
    """One page of the journal and the count of all rows."""
    conditions = _conditions(wanted)
    counted = (
        select(func.count()).select_from(HomeCall).join(Patient, Patient.id == HomeCall.patient_id).where(*conditions)
    )
    total = int(session.scalar(counted) or 0)
    columns: dict[str, Any] = {
        "due": HomeCall.due_at, "called": HomeCall.called_at, "patient": Patient.sort_key,
        "urgency": case((HomeCall.urgency == "urgent", 0), else_=1),
    }  # fmt: skip
    column = columns[sort]
    query = _rows().where(*conditions).order_by(column.desc() if descending else column.asc(), HomeCall.due_at,
                                                HomeCall.id)  # fmt: skip
    return [_row(found) for found in session.execute(query.offset(offset).limit(limit))], total


def sheet(session: Session, practitioner_id: int, start: datetime, end: datetime, *, today_flag: bool) -> list[CallRow]:
    """The calls that a practitioner has to serve on a day, urgent ones first."""
    is_open = HomeCall.status == "assigned"
    due = and_(HomeCall.due_at >= start, HomeCall.due_at < end)
    if today_flag:
        due = or_(due, and_(is_open, HomeCall.due_at < start))
    query = (
        _rows()
        .where(
            HomeCall.practitioner_id == practitioner_id, HomeCall.voided_at.is_(None),
            HomeCall.status.in_(("assigned", "done", "not_found")), due,
        )
        .order_by(case((HomeCall.urgency == "urgent", 0), else_=1), HomeCall.due_at, HomeCall.id)
    )  # fmt: skip
    return [_row(found) for found in session.execute(query)]


def proposal(session: Session, patient_id: int, organisation_ids: frozenset[int], day: date) -> Proposal | None:
    """The patient's site in these organisations on the day, and the doctor who answers for it."""
    found = session.execute(
        select(Attachment.organisation_id, Attachment.site_id, SiteAssignment.practitioner_id)
        .outerjoin(
            SiteAssignment,
            and_(
                SiteAssignment.site_id == Attachment.site_id,
                SiteAssignment.duty == "doctor",
                _holds(SiteAssignment, day),
            ),
        )
        .join(Patient, Patient.id == Attachment.patient_id)
        .where(
            or_(Patient.id == patient_id, Patient.merged_into_id == patient_id),
            Attachment.organisation_id.in_(organisation_ids),
            _holds(Attachment, day),
        )
        .order_by(Attachment.valid_from.desc())
        .limit(1)
    ).first()
    return Proposal(found[0], found[1], found[2]) if found else None


def _holds(table: Any, day: date) -> ColumnElement[bool]:
    return and_(table.valid_from <= day, or_(table.valid_to.is_(None), table.valid_to > day))


def site(session: Session, key: int) -> Site | None:
    return session.get(Site, key)


def site_doctor(session: Session, site_id: int, day: date) -> int | None:
    """The doctor who answers for a site on a day."""
    return session.scalar(
        select(SiteAssignment.practitioner_id).where(
            SiteAssignment.site_id == site_id, SiteAssignment.duty == "doctor", _holds(SiteAssignment, day)
        )
    )


def staff(session: Session, organisation_ids: frozenset[int], day: date) -> list[tuple[Practitioner, Department]]:
    """Who can be sent to a patient on a day, with the department; one row for each person."""
    rows = session.execute(
        select(Practitioner, Department)
        .join(PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id)
        .join(Department, Department.id == PractitionerRole.department_id)
        .where(PractitionerRole.organisation_id.in_(organisation_ids), _holds(PractitionerRole, day))
        .order_by(Practitioner.sort_key, Practitioner.id)
    )
    seen: dict[int, tuple[Practitioner, Department]] = {}
    for person, department in rows:
        seen.setdefault(person.id, (person, department))
    return list(seen.values())


def is_staff(session: Session, practitioner_id: int, organisation_id: int, day: date) -> bool:
    """Whether the practitioner has a position in the organisation on the day."""
    found = select(PractitionerRole.id).where(
        PractitionerRole.practitioner_id == practitioner_id,
        PractitionerRole.organisation_id == organisation_id,
        _holds(PractitionerRole, day),
    )
    return session.scalar(found.limit(1)) is not None


def practitioner(session: Session, key: int) -> Practitioner | None:
    return session.get(Practitioner, key)


def visits_at_home(session: Session, patient_id: int, since: datetime) -> Sequence[tuple[Encounter, Practitioner]]:
    """The patient's visits at home since a moment, the newest first."""
    rows = session.execute(
        select(Encounter, Practitioner)
        .join(Practitioner, Practitioner.id == Encounter.practitioner_id)
        .where(
            Encounter.patient_id == patient_id,
            Encounter.place == "home",
            Encounter.voided_at.is_(None),
            Encounter.started_at >= since,
        )
        .order_by(Encounter.started_at.desc())
        .limit(20)
    )
    return [(found[0], found[1]) for found in rows]


def encounter(session: Session, key: int) -> Encounter | None:
    return session.get(Encounter, key)


def calls_of(
    session: Session, patient_ids: Sequence[int], *, limit: int
) -> Sequence[tuple[HomeCall, Practitioner | None]]:
    """The newest calls of these records."""
    rows = session.execute(
        select(HomeCall, Practitioner)
        .outerjoin(Practitioner, Practitioner.id == HomeCall.practitioner_id)
        .where(HomeCall.patient_id.in_(patient_ids))
        .order_by(HomeCall.called_at.desc())
        .limit(limit)
    )
    return [(found[0], found[1]) for found in rows]


def count_calls(session: Session, patient_ids: Sequence[int]) -> int:
    counted = select(func.count()).select_from(HomeCall).where(HomeCall.patient_id.in_(patient_ids))
    return int(session.scalar(counted) or 0)


def count_open(session: Session, practitioner_id: int | None) -> int:
    """Open calls handed over to a practitioner; for others the calls that nobody has taken."""
    mine = (
        HomeCall.status == "registered" if practitioner_id is None
        else and_(HomeCall.practitioner_id == practitioner_id, HomeCall.status == "assigned")
    )  # fmt: skip
    counted = select(func.count()).select_from(HomeCall).where(mine, HomeCall.voided_at.is_(None))
    return int(session.scalar(counted) or 0)
