"""Home calls as their screens show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from operational.domains.home_visits import repository
from operational.domains.home_visits.models import HomeCall
from operational.domains.home_visits.repository import CallRow
from operational.domains.organisation.models import Practitioner
from operational.domains.patients import repository as patients
from operational.domains.patients.views import CardHead
from operational.web.formats import format_moment
from operational.web.listing import Column, ListPage
from operational.web.viewer import Viewer

Choices = list[tuple[str, str]]
CLOSED = ("done", "not_found", "cancelled")


@dataclass(frozen=True, slots=True)
class JournalPage:
    """The journal of a day with its filters."""

    columns: Sequence[Column]
    page: ListPage[CallRow]
    day: date
    now: datetime
    sites: Choices
    staff: Choices
    practitioner_id: int | None


@dataclass(frozen=True, slots=True)
class ChoosePage:
    """A patient is about to be chosen."""

    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class CallForm:
    """A call is registered or corrected; ``attached_flag`` says whether the site was found by attachment."""

    head: CardHead
    call: HomeCall | None
    attached_flag: bool
    sites: Choices
    staff: Choices
    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class CallPage:
    """One call: what it says, who goes, what can be done."""

    row: CallRow
    head: CardHead
    state: str
    overdue_flag: bool
    staff: Choices
    visits: Choices
    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class SheetPage:
    """The calls that one practitioner serves on a day, on A4."""

    day: date
    practitioner: Practitioner | None
    practitioner_id: int | None
    staff: Choices
    rows: Sequence[CallRow]


def person(row: Practitioner) -> str:
    """Surname, given name and patronymic."""
    return " ".join(part for part in (row.surname, row.given_name, row.patronymic) if part)


def staff(db: Session, viewer: Viewer, day: date, language: str) -> Choices:
    """Who can be sent, with the department."""
    return [
        (str(who.id), f"{person(who)} · {unit.name_kk if language == 'kk' else unit.name_ru}")
        for who, unit in repository.staff(db, viewer.organisation_ids, day)
    ]


def sites(db: Session, viewer: Viewer, day: date, language: str) -> Choices:
    """The sites of the viewer's organisations; with the organisation's name where there are several."""
    rows = patients.sites(db, sorted(viewer.organisation_ids), day)
    several = len({row.organisation_id for row in rows}) > 1

    def name(row: patients.SiteRow) -> str:
        site = row.name_kk if language == "kk" else row.name_ru
        organisation = row.organisation_kk if language == "kk" else row.organisation_ru
        return f"{organisation}, {site}" if several else site

    return [(str(row.id), name(row)) for row in rows]


def state_of(call: HomeCall) -> str:
    """The status, or that the call was entered in error."""
    return "voided" if call.voided_at is not None else call.status


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The beginning and the end of a local day."""
    start = datetime.combine(day, time(), zone)
    return start, datetime.combine(day + timedelta(days=1), time(), zone)


def values_of(call: HomeCall, zone: str) -> dict[str, str]:
    """A call as its form shows it."""
    names = ("source", "urgency", "complaint", "temperature_note", "address", "phone", "site_id")
    values = {name: str(getattr(call, name) or "") for name in names}
    values["called_at"] = format_moment(call.called_at, zone)
    values["due_at"] = format_moment(call.due_at, zone)
    return values
