"""Screens of the admission department: who waits by triage zone, the journal, a new presentation, one presentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.catalogs.models import CodedValue, Icd10
from operational.domains.inpatient import repository, triage, views
from operational.domains.inpatient.admission import Admission
from operational.domains.inpatient.models import HospitalPresentation, HospitalStay
from operational.domains.inpatient.permissions import CanAdmit, CanRead
from operational.domains.inpatient.schemas import Present, Seen, Triage, UnknownPerson, Vitals
from operational.domains.inpatient.views import Choices, Person
from operational.domains.inpatient.wards import repository as wards
from operational.domains.inpatient.wards.repository import BedsRow, PresentationRow
from operational.domains.organisation.models import Department, Practitioner
from operational.domains.patients import views as people
from operational.kit.audit import audit
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.formats import format_date, parse_date
from operational.web.forms import Form, parse
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)
ZONES = (*triage.ZONES, "none")
DECISIONS = ("waiting", "admitted", "refused", "transferred", "left", "died")
JOURNAL = (
    Column("inpatient.column.arrived", sort="arrived_at"),
    Column("inpatient.column.patient", sort="name"),
    Column("inpatient.column.zone"),
    Column("inpatient.column.channel", narrow=True),
    Column("inpatient.column.decision"),
    Column("inpatient.column.waited", numeric=True, narrow=True),
)


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """Somebody who waits, and how long already; ``late_flag``: longer than the zone allows."""

    row: PresentationRow
    person: Person
    waited: str


@dataclass(frozen=True, slots=True)
class BoardPage:
    """Who waits now, by zone, and the beds that are free."""

    groups: Sequence[tuple[str, triage.Zone | None, Sequence[WaitingRow]]]
    total: int
    zone: str
    department: str
    departments: Choices
    labels: Mapping[tuple[str, str], CodedValue]
    beds: Sequence[BedsRow]


@dataclass(frozen=True, slots=True)
class JournalPage:
    """The presentations of some days."""

    columns: Sequence[Column]
    page: ListPage[PresentationRow]
    names: Mapping[int, str]
    waited: Mapping[int, str]
    labels: Mapping[tuple[str, str], CodedValue]
    zones: Sequence[str]
    decisions: Sequence[str]
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class PresentPage:
    """A person comes: the form."""

    person: Person | None
    unknown: bool
    departments: Choices
    channels: Choices
    organisations: Choices
    zones: Sequence[str]
    proposed: str | None
    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class ProposalPage:
    """The zone that the measured values call for."""

    proposed: str | None


@dataclass(frozen=True, slots=True)
class PresentationPage:
    """One presentation: what is known, and what can be done with it."""

    row: HospitalPresentation
    person: Person
    organisation: str
    department: Department
    doctor: Practitioner | None
    stay: HospitalStay | None
    referring: str
    target: str
    icd10: Icd10 | None
    labels: Mapping[tuple[str, str], CodedValue]
    zones: Sequence[str]
    proposed: str | None
    waited: str
    values: Mapping[str, str]
    errors: dict[str, str]


def service(request: Request, db: Db) -> Admission:
    return Admission(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Admission, Depends(service)]


@router.get("/admission", response_class=HTMLResponse)
def board(request: Request, viewer: CanRead, db: Db, zone: str = "", department: str = "") -> HTMLResponse:
    """Who waits now, the worst zone and the longest waiting first."""
    language, now, today = language_of(request), people.now_of(request), people.today_of(request)
    rows = wards.waiting(db, viewer.organisation_ids, department_id=int(department) if department.isdecimal() else None)
    shown = [
        WaitingRow(row, person, views.waited(row.presentation.arrived_at, row.presentation.seen_at or now))
        for row, person in zip(rows, views.person_of(db, [row.patient for row in rows], request), strict=True)
    ]
    groups = [
        (name, triage.zones().get(name), [r for r in shown if (r.row.presentation.triage_zone or "none") == name])
        for name in ZONES
        if not zone or name == zone
    ]
    desks = wards.admission_departments(db, viewer.organisation_ids, today)
    page = BoardPage(
        groups, len(rows), zone, department, views.departments(desks, language),
        views.labels(views.coded(db, ("arrival_channel", "bed_profile"))),
        wards.beds(db, viewer.organisation_ids, today),
    )  # fmt: skip
    return render(request, "inpatient/board.html", page)


def _day(text: str, otherwise: date) -> date:
    try:
        return parse_date(text) or otherwise
    except ValueError:
        return otherwise


@router.get("/admission/journal", response_class=HTMLResponse)
@router.post("/admission/journal", response_class=HTMLResponse)
def journal(request: Request, viewer: CanRead, db: Db, query: ListQuery) -> HTMLResponse:
    """All presentations of some days, whatever was decided; searched by POST."""
    zone, now = request.app.state.settings.zone, people.now_of(request)
    since = _day(query.filters.get("since", ""), people.today_of(request))
    until = _day(query.filters.get("until", ""), since)
    rows, total = wards.journal(
        db, viewer.organisation_ids, since=datetime.combine(since, time(), zone).astimezone(UTC),
        until=datetime.combine(max(since, until) + timedelta(days=1), time(), zone).astimezone(UTC),
        decision=query.filters.get("decision", ""), zone=query.filters.get("zone", ""),
        patient_ids=views.patient_ids(db, query.query, request), by_name=query.sort == "name",
        descending=query.descending, offset=query.offset, limit=query.size,
    )  # fmt: skip
    shown = views.person_of(db, [row.patient for row in rows], request)
    page = JournalPage(
        columns=JOURNAL,
        page=ListPage(rows, total, query),
        names={person.patient.id: person.name for person in shown},
        waited={
            row.presentation.id: views.waited(
                row.presentation.arrived_at, row.presentation.seen_at or row.presentation.decided_at or now
            )
            for row in rows
        },
        labels=views.labels(views.coded(db, ("arrival_channel", "refusal_reason"))),
        zones=ZONES,
        decisions=DECISIONS,
        since=format_date(since, request.app.state.settings.timezone),
        until=format_date(max(since, until), request.app.state.settings.timezone),
    )
    return render(request, "inpatient/journal.html", page)


def _proposed(values: Mapping[str, str]) -> str | None:
    """The zone that typed values call for; None while one of them is not a number."""
    try:
        return triage.proposed(Vitals.model_validate({name: value for name, value in values.items() if value}))
    except ValueError:
        return None


def _present_page(request: Request, db: Session, viewer: Viewer, values: Mapping[str, str]) -> PresentPage:
    language, today = language_of(request), people.today_of(request)
    key = values.get("patient_id", "")
    return PresentPage(
        person=views.person(db, int(key), request) if key.isdecimal() else None,
        unknown=bool(values.get("unknown")),
        departments=views.departments(wards.admission_departments(db, viewer.organisation_ids, today), language),
        channels=views.choices(views.coded(db, ("arrival_channel",)), language)["arrival_channel"],
        organisations=views.other_organisations(db, (), today, language),
        zones=triage.ZONES,
        proposed=_proposed(values),
        values=values,
        errors={},
    )


@router.get("/admission/new", response_class=HTMLResponse)
def new(request: Request, viewer: CanAdmit, db: Db, patient: str = "", unknown: str = "") -> HTMLResponse:
    """A person comes or is brought."""
    start = {"patient_id": patient, "unknown": unknown, "arrived_at": views.now_value(request)}
    return render(request, "inpatient/present.html", _present_page(request, db, viewer, start))


@router.post("/admission/new", response_class=HTMLResponse)
def present(request: Request, viewer: CanAdmit, db: Db, admission: Service, form: Form) -> Response:
    """Register a presentation; an unknown person gets a record in the same transaction."""
    rerender_on_error(request, "inpatient/present.html", _present_page(request, db, viewer, form))
    key = form.get("patient_id", "")
    if form.get("unknown"):
        # The rest of the form is checked before anybody is registered.
        parse(Present, form, patient_id=0)
        key = str(admission.register_unknown(parse(UnknownPerson, form)).id)
    row = admission.present(parse(Present, form, patient_id=key) if key else parse(Present, form))
    return see_other(request, f"/admission/{row.id}", Flash("inpatient.presented"))


@router.post("/admission/triage", response_class=HTMLResponse)
def propose(request: Request, viewer: CanAdmit, form: Form) -> HTMLResponse:
    """What the rule says of the values typed so far."""
    return render(request, "inpatient/_proposal.html", ProposalPage(_proposed(form)))


def presentation_page(
    request: Request, db: Session, key: int, values: Mapping[str, str] | None = None
) -> PresentationPage:
    """Everything that the pages of one presentation show. Raises NotFound."""
    row = repository.presentation(db, key)
    department = repository.department(db, row.department_id) if row else None
    if row is None or department is None:
        raise NotFound
    language, today = language_of(request), people.today_of(request)
    typed = {name: views.number(getattr(row, name)) for name in Vitals.model_fields}
    typed |= {"complaint": row.complaint or "", "triage_zone": row.triage_zone or "", "icd10_code": ""}
    typed["seen_at"] = views.now_value(request)

    def name(organisation: int | None) -> str:
        found = repository.organisation_name(db, organisation, today) if organisation else None
        return views.named(found, language) if found else ""

    return PresentationPage(
        row=row,
        person=views.person(db, row.patient_id, request),
        organisation=name(row.owner_organisation_id),
        department=department,
        doctor=repository.practitioner(db, row.practitioner_id) if row.practitioner_id else None,
        stay=repository.stay_of_presentation(db, key),
        referring=name(row.referring_organisation_id),
        target=name(row.target_organisation_id),
        icd10=repository.icd10(db, row.icd10_code) if row.icd10_code else None,
        labels=views.labels(views.coded(db)),
        zones=triage.ZONES,
        proposed=_proposed(values or typed),
        waited=views.waited(row.arrived_at, row.seen_at or row.decided_at or people.now_of(request)),
        values=typed | dict(values or {}),
        errors={},
    )


@router.get("/admission/{key:int}", response_class=HTMLResponse)
def show(key: int, request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    """One presentation."""
    page = presentation_page(request, db, key)
    audit(db, "presentation.opened", object_table="hospital_presentation", object_id=key)
    return render(request, "inpatient/presentation.html", page)


@router.get("/admission/{key:int}/print", response_class=HTMLResponse)
def print_page(key: int, request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    """The conclusion of the admission department, for a refusal above all."""
    return render(request, "inpatient/presentation_print.html", presentation_page(request, db, key))


@router.post("/admission/{key:int}/triage", response_class=HTMLResponse)
def sort(key: int, request: Request, viewer: CanAdmit, db: Db, admission: Service, form: Form) -> Response:
    """Measure again."""
    rerender_on_error(request, "inpatient/presentation.html", presentation_page(request, db, key, form))
    admission.sort(key, parse(Triage, form))
    return see_other(request, f"/admission/{key}", Flash("inpatient.saved"))


@router.post("/admission/{key:int}/seen", response_class=HTMLResponse)
def seen(key: int, request: Request, viewer: CanAdmit, db: Db, admission: Service, form: Form) -> Response:
    """A doctor sees the patient."""
    rerender_on_error(request, "inpatient/presentation.html", presentation_page(request, db, key, form))
    admission.see(key, parse(Seen, form))
    return see_other(request, f"/admission/{key}", Flash("inpatient.saved"))


@router.post("/admission/{key:int}/take-back", response_class=HTMLResponse)
def take_back(key: int, request: Request, viewer: CanAdmit, db: Db, admission: Service, form: Form) -> Response:
    """Take the decision back, with a reason."""
    rerender_on_error(request, "inpatient/presentation.html", presentation_page(request, db, key, form))
    admission.take_back(key, form.get("reason", ""))
    return see_other(request, f"/admission/{key}", Flash("inpatient.decision_taken_back", "info"))


@router.post("/admission/{key:int}/void", response_class=HTMLResponse)
def void(key: int, request: Request, viewer: CanAdmit, db: Db, admission: Service, form: Form) -> Response:
    """Mark a presentation as entered in error, with a reason."""
    rerender_on_error(request, "inpatient/presentation.html", presentation_page(request, db, key, form))
    admission.void(key, form.get("reason", ""))
    return see_other(request, f"/admission/{key}", Flash("inpatient.voided", "info"))


@router.post("/admission/{key:int}/restore", response_class=HTMLResponse)
def restore(key: int, request: Request, viewer: CanAdmit, db: Db, admission: Service, form: Form) -> Response:
    """Take a void back, with a reason."""
    rerender_on_error(request, "inpatient/presentation.html", presentation_page(request, db, key, form))
    admission.restore(key, form.get("reason", ""))
    return see_other(request, f"/admission/{key}", Flash("inpatient.restored"))
