"""Queries on signal cases. Row-level security narrows each to the organisations that answer for the cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from kmis import names
from operational.domains.catalogs.models import CodedValue, Icd10
from operational.domains.catalogs.models import Operation as OperationCode
from operational.domains.encounters.models import Encounter
from operational.domains.home_visits.models import HomeCall
from operational.domains.identity.models import AppUser
from operational.domains.maternity.models import PregnancyVisit
from operational.domains.monitoring.models import SignalCase, SignalEvent
from operational.domains.organisation.models import (
    OrganisationVersion,
    Practitioner,
    PractitionerRole,
    Site,
)
from operational.domains.patients.models import Patient

SORTS = ("due", "patient", "rule", "event", "state")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases: ``part`` is mine, queue or all; an empty filter filters nothing."""

    part: str
    now: datetime
    practitioner_id: int | None
    words: str = ""
    rule: str = ""
    severity: str = ""
    state: str = ""
    overdue_flag: bool = False
    site_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case with the person and who answers."""

    case: SignalCase
    patient: Patient
    site: Site | None
    doctor: Practitioner | None
    nurse: Practitioner | None


def case(session: Session, key: int, *, lock: bool = False) -> SignalCase | None:
    query = select(SignalCase).where(SignalCase.id == key)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)


def _rows() -> Any:
    doctor, nurse = aliased(Practitioner), aliased(Practitioner)
    return (
        select(SignalCase, Patient, Site, doctor, nurse)
        .join(Patient, Patient.id == SignalCase.patient_id)
        .outerjoin(Site, Site.id == SignalCase.site_id)
        .outerjoin(doctor, doctor.id == SignalCase.practitioner_id)
        .outerjoin(nurse, nurse.id == SignalCase.nurse_id)
    )


def row(session: Session, key: int) -> CaseRow | None:
    found = session.execute(_rows().where(SignalCase.id == key)).first()
    return _row(found) if found else None


def _row(found: Any) -> CaseRow:
    return CaseRow(*found)


def _part(part: str, practitioner_id: int | None) -> list[ColumnElement[bool]]:
    if part == "queue":
        return [SignalCase.practitioner_id.is_(None)]
    if part == "mine":
        key = practitioner_id or 0
        return [or_(SignalCase.practitioner_id == key, SignalCase.nurse_id == key)]
    return []


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [SignalCase.voided_at.is_(None), *_part(wanted.part, wanted.practitioner_id)]
    if wanted.state == "all":
        pass
    elif wanted.state:
        found.append(SignalCase.state == wanted.state)
    else:
        found.append(SignalCase.state != "closed")
    if wanted.rule:
        found.append(SignalCase.rule_code == wanted.rule)
    if wanted.severity:
        found.append(SignalCase.severity == wanted.severity)
    if wanted.overdue_flag:
        found += [SignalCase.state != "closed", SignalCase.due_at < wanted.now]
    if wanted.site_id is not None:
        found.append(SignalCase.site_id == wanted.site_id)
    if wanted.since is not None:
        found.append(SignalCase.event_at >= wanted.since)
    if wanted.until is not None:
        found.append(SignalCase.event_at < wanted.until)
    if wanted.words:
        found.append(_searched(wanted.words))
    return found


def _searched(words: str) -> ColumnElement[bool]:
    """A number in the register, an IIN, or words of a name in the typed or the other keyboard layout."""
    if words.isdecimal():
        number = int(words) if len(words) < 9 else -1
        return or_(Patient.iin == words, Patient.patient_no == number)
    readings = [reading.like_patterns() for tier in names.read_query(words) for reading in tier.readings]
    return or_(
        false(), *(and_(*(Patient.name_key.like(pattern) for pattern in patterns)) for patterns in readings if patterns)
    )


def cases(
    session: Session, wanted: Wanted, *, sort: str, descending: bool, limit: int, offset: int
) -> tuple[list[CaseRow], int]:
    """One page of the cases and how many there are."""
    conditions = _conditions(wanted)
    counted = select(func.count()).select_from(SignalCase).join(Patient, Patient.id == SignalCase.patient_id)
    total = session.scalar(counted.where(*conditions)) or 0
    columns: dict[str, Any] = {
        "due": SignalCase.due_at, "patient": Patient.sort_key, "rule": SignalCase.rule_code,
        "event": SignalCase.event_at, "state": SignalCase.state,
    }  # fmt: skip
    column = columns[sort]
    query = _rows().where(*conditions).order_by(column.desc() if descending else column, SignalCase.id)
    return [_row(found) for found in session.execute(query.limit(limit).offset(offset))], total


def counts(session: Session, part: str, practitioner_id: int | None, now: datetime) -> tuple[int, int]:
    """How many cases of the part are open, and how many of them are overdue."""
    query = select(func.count(), func.count().filter(SignalCase.due_at < now)).where(
        SignalCase.state != "closed", SignalCase.voided_at.is_(None), *_part(part, practitioner_id)
    )
    found = session.execute(query).one()
    return int(found[0]), int(found[1])


def count_open(session: Session, part: str, practitioner_id: int | None) -> int:
    """How many cases of the part are open."""
    query = select(func.count()).where(
        SignalCase.state != "closed", SignalCase.voided_at.is_(None), *_part(part, practitioner_id)
    )
    return int(session.scalar(query) or 0)


def sites_of_cases(session: Session) -> Sequence[Site]:
    """Sites that have a case, for the filter of the list."""
    having = select(SignalCase.site_id).where(SignalCase.site_id.is_not(None))
    return session.scalars(select(Site).where(Site.id.in_(having)).order_by(Site.organisation_id, Site.code)).all()


def history(session: Session, case_id: int) -> list[tuple[SignalEvent, AppUser | None]]:
    """What happened to a case, oldest first."""
    query = (
        select(SignalEvent, AppUser)
        .outerjoin(AppUser, AppUser.id == SignalEvent.user_id)
        .where(SignalEvent.case_id == case_id)
        .order_by(SignalEvent.at, SignalEvent.id)
    )
    return [(found[0], found[1]) for found in session.execute(query)]


def cases_of_person(session: Session, patient_ids: Sequence[int], *, limit: int) -> Sequence[SignalCase]:
    query = select(SignalCase).where(SignalCase.patient_id.in_(patient_ids), SignalCase.voided_at.is_(None))
    return session.scalars(query.order_by(SignalCase.opened_at.desc(), SignalCase.id.desc()).limit(limit)).all()


def count_of_person(session: Session, patient_ids: Sequence[int]) -> int:
    query = select(func.count()).select_from(SignalCase)
    found = session.scalar(query.where(SignalCase.patient_id.in_(patient_ids), SignalCase.voided_at.is_(None)))
    return int(found or 0)


# --- what closes a case ---------------------------------------------------------------------------


def records_of(session: Session, patient_id: int) -> list[int]:
    """The keys of the visible records of the person that the record belongs to, the record itself included."""
    survivor = select(func.coalesce(Patient.merged_into_id, Patient.id)).where(Patient.id == patient_id)
    query = select(Patient.id).where(func.coalesce(Patient.merged_into_id, Patient.id).in_(survivor))
    return sorted({patient_id, *session.scalars(query)})


def open_cases(session: Session, patient_ids: Sequence[int], organisation_id: int) -> Sequence[SignalCase]:
    """Open cases of the person for which the organisation answers."""
    query = select(SignalCase).where(
        SignalCase.patient_id.in_(patient_ids),
        SignalCase.owner_organisation_id == organisation_id,
        SignalCase.state != "closed",
        SignalCase.voided_at.is_(None),
    )
    return session.scalars(query.order_by(SignalCase.id).with_for_update()).all()


def closed_by(session: Session, table: str, key: int) -> Sequence[SignalCase]:
    """Closed cases whose last closing names the row that did it."""
    earlier = aliased(SignalEvent)
    last = (
        select(func.max(earlier.id))
        .where(earlier.case_id == SignalCase.id, earlier.kind == "closed")
        .correlate(SignalCase)
        .scalar_subquery()
    )
    query = (
        select(SignalCase)
        .join(SignalEvent, SignalEvent.case_id == SignalCase.id)
        .where(
            SignalCase.state == "closed",
            SignalEvent.id == last,
            SignalEvent.detail.contains({"by": table, "key": key}),
        )
    )
    return session.scalars(query.with_for_update(of=SignalCase)).all()


def reopened_at(session: Session, case_id: int) -> datetime | None:
    """When a person last opened the case again: what was done before that was not enough."""
    query = select(func.max(SignalEvent.at)).where(
        SignalEvent.case_id == case_id, SignalEvent.kind == "reopened", SignalEvent.detail.contains({"by": "person"})
    )
    return session.scalar(query)


def encounter(session: Session, key: int) -> Encounter | None:
    return session.get(Encounter, key)


def home_call(session: Session, key: int) -> HomeCall | None:
    return session.get(HomeCall, key)


def pregnancy_visit(session: Session, key: int) -> PregnancyVisit | None:
    return session.get(PregnancyVisit, key)


def acts_since(
    session: Session, patient_ids: Sequence[int], organisation_id: int, since: datetime
) -> list[tuple[str, str, int, datetime]]:
    """What the organisation did with the person from a moment on: kind, table, key, time; oldest first."""
    found: list[tuple[str, str, int, datetime]] = []
    visits = select(Encounter.id, Encounter.started_at).where(
        Encounter.patient_id.in_(patient_ids),
        Encounter.owner_organisation_id == organisation_id,
        Encounter.signed_at.is_not(None),
        Encounter.voided_at.is_(None),
        Encounter.started_at >= since,
    )
    found += [("visit", "encounter", key, at) for key, at in session.execute(visits)]
    calls = select(HomeCall.id, HomeCall.performed_at).where(
        HomeCall.patient_id.in_(patient_ids),
        HomeCall.owner_organisation_id == organisation_id,
        HomeCall.status == "done",
        HomeCall.voided_at.is_(None),
        HomeCall.performed_at >= since,
    )
    found += [("home_call", "home_call", key, at) for key, at in session.execute(calls) if at is not None]
    seen = select(PregnancyVisit.id, PregnancyVisit.visited_at).where(
        PregnancyVisit.patient_id.in_(patient_ids),
        PregnancyVisit.owner_organisation_id == organisation_id,
        PregnancyVisit.place != "hospital",
        PregnancyVisit.voided_at.is_(None),
        # To the minute: a visit of the very minute may be the one that sent her to the hospital.
        PregnancyVisit.visited_at > since,
    )
    found += [("pregnancy_visit", "pregnancy_visit", key, at) for key, at in session.execute(seen)]
    return sorted(found, key=lambda act: act[3])


# --- names ----------------------------------------------------------------------------------------


def icd10(session: Session, codes: Sequence[str]) -> dict[str, Icd10]:
    return {found.code: found for found in session.scalars(select(Icd10).where(Icd10.code.in_(codes)))}


def operations(session: Session, codes: Sequence[str]) -> dict[str, OperationCode]:
    query = select(OperationCode).where(OperationCode.code.in_(codes))
    return {found.code: found for found in session.scalars(query)}


def outcomes(session: Session) -> Sequence[CodedValue]:
    query = select(CodedValue).where(CodedValue.directory_code == "signal_outcome", CodedValue.active)
    return session.scalars(query.order_by(CodedValue.sort_order, CodedValue.code)).all()


def organisation(session: Session, key: int, day: date) -> OrganisationVersion | None:
    return session.scalar(
        select(OrganisationVersion).where(OrganisationVersion.organisation_id == key, *_holds(OrganisationVersion, day))
    )


def role_in(session: Session, practitioner_id: int, organisation_id: int, day: date) -> PractitionerRole | None:
    """A position of the practitioner in the organisation on a day."""
    return session.scalar(
        select(PractitionerRole)
        .where(
            PractitionerRole.practitioner_id == practitioner_id,
            PractitionerRole.organisation_id == organisation_id,
            *_holds(PractitionerRole, day),
        )
        .order_by(PractitionerRole.valid_from.desc(), PractitionerRole.id.desc())
        .limit(1)
    )


def staff(session: Session, organisation_id: int, day: date) -> Sequence[tuple[Practitioner, str]]:
    """Who works in the organisation on a day, with the code of the position; for handing a case over."""
    query = (
        select(Practitioner, func.min(PractitionerRole.position_code))
        .join(
            PractitionerRole,
            and_(PractitionerRole.practitioner_id == Practitioner.id, *_holds(PractitionerRole, day)),
        )
        .where(PractitionerRole.organisation_id == organisation_id, Practitioner.active)
        .group_by(Practitioner.id)
        .order_by(Practitioner.sort_key, Practitioner.id)
    )
    return [(found[0], found[1]) for found in session.execute(query)]


def _holds(table: Any, day: date) -> tuple[ColumnElement[bool], ...]:
    return table.valid_from <= day, or_(table.valid_to.is_(None), table.valid_to > day)
