"""The ward list: who lies where, how many beds are free, and the discharged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from operational.domains.catalogs.models import CodedValue
from operational.domains.inpatient import views
from operational.domains.inpatient.permissions import CanRead
from operational.domains.inpatient.views import Choices
from operational.domains.inpatient.wards import repository as wards
from operational.domains.inpatient.wards.repository import BedsRow, StayRow
from operational.domains.patients import views as people
from operational.web.database import Db
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.shell import render

router = APIRouter(include_in_schema=False)
CASE_NUMBER = re.compile(r"^\d{2}-\d{1,9}$")
SORTS = {"open": ("bed", "name", "admitted_at", "condition"), "discharged": ("discharged_at", "name", "admitted_at")}
OPEN_COLUMNS = (
    Column("inpatient.column.bed", sort="bed"),
    Column("inpatient.column.patient", sort="name"),
    Column("inpatient.column.admitted", sort="admitted_at", narrow=True),
    Column("inpatient.column.days", numeric=True, narrow=True),
    Column("inpatient.column.main", narrow=True),
    Column("inpatient.column.condition", sort="condition"),
    Column("inpatient.column.doctor", narrow=True),
)
DISCHARGED_COLUMNS = (
    Column("inpatient.column.discharged", sort="discharged_at"),
    Column("inpatient.column.patient", sort="name"),
    Column("inpatient.column.admitted", sort="admitted_at", narrow=True),
    Column("inpatient.column.days", numeric=True, narrow=True),
    Column("inpatient.column.main", narrow=True),
    Column("inpatient.column.outcome"),
    Column("inpatient.column.doctor", narrow=True),
)


@dataclass(frozen=True, slots=True)
class WardsPage:
    """The beds of the departments and the list of stays."""

    columns: Sequence[Column]
    page: ListPage[StayRow]
    state: str
    names: Mapping[int, str]
    days: Mapping[int, int]
    departments: Choices
    profiles: Choices
    labels: Mapping[tuple[str, str], CodedValue]
    beds: Sequence[BedsRow]


@router.get("/wards", response_class=HTMLResponse)
@router.post("/wards", response_class=HTMLResponse)
def ward_list(request: Request, viewer: CanRead, db: Db, query: ListQuery) -> HTMLResponse:
    """Patients by department and bed; searched by POST."""
    language, today, now = language_of(request), people.today_of(request), people.now_of(request)
    state = "discharged" if query.filters.get("state") == "discharged" else "open"
    case_number = query.query if CASE_NUMBER.match(query.query) else ""
    department = query.filters.get("department", "")
    query = query.settled(SORTS[state])
    rows, total = wards.stays(
        db, viewer.organisation_ids, state=state, department_id=int(department) if department.isdecimal() else None,
        bed_profile=query.filters.get("profile", ""), case_number=case_number,
        patient_ids=None if case_number else views.patient_ids(db, query.query, request), sort=query.sort,
        descending=query.descending, offset=query.offset, limit=query.size,
    )  # fmt: skip
    coded = views.coded(db, ("bed_profile", "stay_condition", "stay_outcome"))
    shown = views.person_of(db, [row.patient for row in rows], request)
    beds = wards.beds(db, viewer.organisation_ids, today)
    page = WardsPage(
        columns=OPEN_COLUMNS if state == "open" else DISCHARGED_COLUMNS,
        page=ListPage(rows, total, query),
        state=state,
        names={person.patient.id: person.name for person in shown},
        days={row.stay.id: views.bed_days(row.stay, now, request) for row in rows},
        departments=views.departments(wards.ward_departments(db, viewer.organisation_ids, today), language),
        profiles=views.choices(coded, language)["bed_profile"],
        labels=views.labels(coded),
        beds=[row for row in beds if not department or str(row.department.id) == department],
    )
    return render(request, "inpatient/wards.html", page)
