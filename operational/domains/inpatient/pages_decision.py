"""The decisions of the admission department: admit to a bed, refuse, transfer, left, died."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.catalogs.models import CodedValue
from operational.domains.inpatient import admission, views
from operational.domains.inpatient.models import HospitalPresentation
from operational.domains.inpatient.pages_admission import Service, presentation_page
from operational.domains.inpatient.permissions import CanAdmit
from operational.domains.inpatient.schemas import Admit, Decide, DecideDeath
from operational.domains.inpatient.views import Choices, Person
from operational.domains.inpatient.wards import repository as wards
from operational.domains.inpatient.wards.repository import BedsRow
from operational.domains.patients import views as people
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, parse
from operational.web.language import language_of
from operational.web.shell import render, rerender_on_error, see_other

router = APIRouter(include_in_schema=False)
DECISIONS = (*admission.SIMPLE_DECISIONS, "died")


@dataclass(frozen=True, slots=True)
class AdmitPage:
    """The form of an admission, with the beds that are free."""

    row: HospitalPresentation
    person: Person
    departments: Choices
    doctors: Choices
    choices: Mapping[str, Choices]
    labels: Mapping[tuple[str, str], CodedValue]
    beds: Sequence[BedsRow]
    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """The form of any other decision."""

    row: HospitalPresentation
    person: Person
    decision: str
    choices: Mapping[str, Choices]
    organisations: Choices
    values: Mapping[str, str]
    errors: dict[str, str]


def _admit_page(request: Request, db: Session, key: int, values: Mapping[str, str] | None = None) -> AdmitPage:
    shown = presentation_page(request, db, key)
    language, today, own = language_of(request), people.today_of(request), shown.row.owner_organisation_id
    coded = views.coded(db)
    start = {
        "admitted_at": views.now_value(request), "financing_source": "gobmp",
        "icd10_code": shown.row.icd10_code or "",
        "icd10_code_text": f"{shown.icd10.code} {views.named(shown.icd10, language)}" if shown.icd10 else "",
    }  # fmt: skip
    return AdmitPage(
        row=shown.row,
        person=shown.person,
        departments=views.departments(wards.ward_departments(db, (own,), today), language),
        doctors=views.doctors(db, own, today),
        choices=views.choices(coded, language),
        labels=views.labels(coded),
        beds=wards.beds(db, (own,), today),
        values=start if values is None else values,
        errors={},
    )


@router.get("/admission/{key:int}/admit", response_class=HTMLResponse)
def admit_form(key: int, request: Request, viewer: CanAdmit, db: Db) -> HTMLResponse:
    """Admit to a bed."""
    return render(request, "inpatient/admit.html", _admit_page(request, db, key))


@router.post("/admission/{key:int}/admit", response_class=HTMLResponse)
def admit(key: int, request: Request, viewer: CanAdmit, db: Db, desk: Service, form: Form) -> Response:
    """Admit: stay, diagnosis and first bed in one transaction."""
    rerender_on_error(request, "inpatient/admit.html", _admit_page(request, db, key, form))
    stay = desk.admit(key, parse(Admit, form))
    return see_other(request, f"/stays/{stay.id}", Flash("inpatient.admitted_ok"))


def _decision_page(
    request: Request, db: Session, key: int, decision: str, values: Mapping[str, str] | None = None
) -> DecisionPage:
    if decision not in DECISIONS:
        raise NotFound
    shown = presentation_page(request, db, key)
    language, own = language_of(request), shown.row.owner_organisation_id
    return DecisionPage(
        row=shown.row,
        person=shown.person,
        decision=decision,
        choices=views.choices(views.coded(db), language),
        organisations=views.other_organisations(db, (own,), people.today_of(request), language),
        values={"decided_at": views.now_value(request)} if values is None else values,
        errors={},
    )


@router.get("/admission/{key:int}/decide/{decision}", response_class=HTMLResponse)
def decision_form(key: int, decision: str, request: Request, viewer: CanAdmit, db: Db) -> HTMLResponse:
    """Refuse, transfer, note that the person left or died."""
    return render(request, "inpatient/decide.html", _decision_page(request, db, key, decision))


@router.post("/admission/{key:int}/decide/{decision}", response_class=HTMLResponse)
def decide(key: int, decision: str, request: Request, viewer: CanAdmit, db: Db, desk: Service, form: Form) -> Response:
    """Close the presentation with the decision."""
    rerender_on_error(request, "inpatient/decide.html", _decision_page(request, db, key, decision, form))
    if decision == "died":
        desk.died(key, parse(DecideDeath, form, autopsy_flag="autopsy_flag" in form))
    else:
        desk.decide(key, decision, parse(Decide, form))
    return see_other(request, f"/admission/{key}", Flash("inpatient.decided_ok"))
