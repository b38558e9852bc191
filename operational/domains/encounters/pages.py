"""Screens of a visit: begin, write, code, sign, correct, print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.catalogs.models import CodedValue, Icd10, Service
from operational.domains.encounters import repository, signing
from operational.domains.encounters.models import (
    Condition,
    Encounter,
    Procedure,
    ServiceRequest,
    SignedDocument,
)
from operational.domains.encounters.permissions import CanRead, CanSign, CanWrite
from operational.domains.encounters.schemas import (
    AddCondition,
    AddProcedure,
    AddReferral,
    StartVisit,
    VisitText,
)
from operational.domains.encounters.service import Visits
from operational.domains.organisation.models import Practitioner
from operational.domains.patients.models import Patient
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, FormValues, parse
from operational.web.language import language_of
from operational.web.nav import NavItem, Tile
from operational.web.shell import render, rerender_on_error, see_other, toast
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)

CODED = ("visit_reason", "encounter_outcome", "financing_source", "insurance_status", "injury_type",
         "referral_kind", "specialty")  # fmt: skip


@dataclass(frozen=True, slots=True)
class VisitPage:
    """Everything that the screen of one visit shows."""

    visit: Encounter
    patient: Patient
    doctor: Practitioner
    writable: bool
    conditions: Sequence[tuple[Condition, Icd10]]
    procedures: Sequence[tuple[Procedure, Service]]
    referrals: Sequence[tuple[ServiceRequest, Service | None]]
    documents: Sequence[tuple[SignedDocument, bool]]
    options: dict[str, list[tuple[str, str]]]
    labels: dict[tuple[str, str], CodedValue]
    organisations: list[tuple[int, str]]
    values: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class OpenVisitsPage:
    """Visits of the doctor that are not signed yet."""

    rows: Sequence[tuple[Encounter, Patient]]


@dataclass(frozen=True, slots=True)
class NewVisitPage:
    """A visit without a booking is about to begin."""

    patient: Patient
    reasons: list[tuple[str, str]]
    values: dict[str, str]
    errors: dict[str, str]


def service(request: Request, db: Db) -> Visits:
    return Visits(db, request.app.state.clock, request.app.state.settings.zone)


Service_ = Annotated[Visits, Depends(service)]


def _page(request: Request, db: Session, viewer: Viewer, key: int, values: FormValues | None = None) -> VisitPage:
    visits = Visits(db, request.app.state.clock, request.app.state.settings.zone)
    visit = visits.get(key)
    patient = repository.patient(db, visit.patient_id)
    doctor = repository.practitioner(db, visit.practitioner_id)
    if patient is None or doctor is None:
        raise NotFound()
    coded = {name: repository.coded_values(db, name) for name in CODED}
    language = language_of(request)
    day = visit.started_at.astimezone(visits.zone).date()
    own = visit.practitioner_id == viewer.practitioner_id or viewer.can("encounters.write_any")
    return VisitPage(
        visit=visit,
        patient=patient,
        doctor=doctor,
        writable=visit.signed_at is None and visit.voided_at is None and own and viewer.can("encounters.write"),
        conditions=repository.conditions(db, key),
        procedures=repository.procedures(db, key),
        referrals=repository.referrals(db, key),
        documents=[(row, signing.unaltered(row)) for row in repository.documents(db, key)],
        options={
            name: [(row.code, row.name_kk if language == "kk" else row.name_ru) for row in rows]
            for name, rows in coded.items()
        },
        labels={(name, row.code): row for name, rows in coded.items() for row in rows},
        organisations=[
            (key_, version.name_kk if language == "kk" else version.name_ru)
            for key_, version in repository.organisations(db, day)
        ],
        values=dict(values or {}),
        errors={},
    )


def _answer(request: Request, db: Session, viewer: Viewer, key: int, part: str, message: Flash | None) -> Response:
    """The part of the page for htmx, the page itself for a browser without scripts."""
    if request.headers.get("hx-request") != "true":
        return see_other(request, f"/visits/{key}#{part}", message)
    response = render(request, f"encounters/_{part}.html", _page(request, db, viewer, key))
    return toast(request, response, message) if message else response


@router.get("/visits", response_class=HTMLResponse)
def open_visits(request: Request, viewer: CanWrite, db: Db) -> HTMLResponse:
    rows = repository.open_visits(db, viewer.practitioner_id) if viewer.practitioner_id else []
    return render(request, "encounters/open.html", OpenVisitsPage(rows))


def _new_page(request: Request, db: Session, key: str, values: FormValues | None = None) -> NewVisitPage:
    patient = repository.patient(db, int(key)) if key.isdecimal() else None
    if patient is None:
        raise NotFound()
    kazakh = language_of(request) == "kk"
    reasons = [
        (row.code, row.name_kk if kazakh else row.name_ru) for row in repository.coded_values(db, "visit_reason")
    ]
    return NewVisitPage(patient, reasons, dict(values or {}), {})


@router.get("/visits/new", response_class=HTMLResponse)
def new(request: Request, viewer: CanWrite, db: Db) -> HTMLResponse:
    return render(request, "encounters/new.html", _new_page(request, db, request.query_params.get("patient", "")))


@router.post("/visits")
def start(request: Request, viewer: CanWrite, db: Db, visits: Service_, form: Form) -> Response:
    rerender_on_error(request, "encounters/new.html", _new_page(request, db, form.get("patient_id", ""), form))
    visit = visits.start(parse(StartVisit, form))
    return see_other(request, f"/visits/{visit.id}")


@router.get("/visits/{key}", response_class=HTMLResponse)
def show(request: Request, viewer: CanRead, db: Db, key: int) -> HTMLResponse:
    return render(request, "encounters/visit.html", _page(request, db, viewer, key))


@router.get("/visits/{key}/print", response_class=HTMLResponse)
def print_page(request: Request, viewer: CanRead, db: Db, key: int) -> HTMLResponse:
    return render(request, "encounters/print.html", _page(request, db, viewer, key))


@router.post("/visits/{key}")
def save(request: Request, viewer: CanWrite, db: Db, visits: Service_, form: Form, key: int) -> Response:
    rerender_on_error(request, "encounters/visit.html", _page(request, db, viewer, key, form))
    visits.write(key, parse(VisitText, form))
    return see_other(request, f"/visits/{key}", Flash("visits.saved"))


@router.post("/visits/{key}/sign")
def sign(request: Request, viewer: CanSign, db: Db, visits: Service_, form: Form, key: int) -> Response:
    rerender_on_error(request, "encounters/visit.html", _page(request, db, viewer, key, form))
    visits.write(key, parse(VisitText, form))
    visits.sign(key)
    return see_other(request, f"/visits/{key}", Flash("visits.signed_ok"))


@router.post("/visits/{key}/reopen")
def reopen(request: Request, viewer: CanSign, db: Db, visits: Service_, form: Form, key: int) -> Response:
    rerender_on_error(request, "encounters/visit.html", _page(request, db, viewer, key, form))
    visits.reopen(key, form.get("reason", ""))
    return see_other(request, f"/visits/{key}", Flash("visits.reopened", "info"))


@router.post("/visits/{key}/void")
def void(request: Request, viewer: CanSign, db: Db, visits: Service_, form: Form, key: int) -> Response:
    rerender_on_error(request, "encounters/visit.html", _page(request, db, viewer, key, form))
    visits.void(key, form.get("reason", ""))
    return see_other(request, f"/visits/{key}", Flash("visits.voided", "info"))


@router.post("/visits/{key}/restore")
def restore(request: Request, viewer: CanSign, db: Db, visits: Service_, form: Form, key: int) -> Response:
    rerender_on_error(request, "encounters/visit.html", _page(request, db, viewer, key, form))
    visits.restore(key, form.get("reason", ""))
    return see_other(request, f"/visits/{key}", Flash("visits.restored"))


def _form_of(part: str, key: int, request: Request, db: Session, viewer: Viewer, form: FormValues) -> None:
    fragment = request.headers.get("hx-request") == "true"
    template = f"encounters/_{part}.html" if fragment else "encounters/visit.html"
    rerender_on_error(request, template, _page(request, db, viewer, key, form))


@router.post("/visits/{key}/conditions")
def add_condition(request: Request, viewer: CanWrite, db: Db, visits: Service_, form: Form, key: int) -> Response:
    _form_of("conditions", key, request, db, viewer, form)
    visits.add_condition(key, parse(AddCondition, form))
    return _answer(request, db, viewer, key, "conditions", None)


@router.post("/visits/{key}/conditions/{part}/{act}")
def change_condition(
    request: Request, viewer: CanWrite, db: Db, visits: Service_, key: int, part: int, act: str
) -> Response:
    visits.remove_condition(key, part, restore=act == "restore")
    return _answer(request, db, viewer, key, "conditions", _undo(act, f"/visits/{key}/conditions/{part}"))


@router.post("/visits/{key}/procedures")
def add_procedure(request: Request, viewer: CanWrite, db: Db, visits: Service_, form: Form, key: int) -> Response:
    _form_of("procedures", key, request, db, viewer, form)
    visits.add_procedure(key, parse(AddProcedure, form))
    return _answer(request, db, viewer, key, "procedures", None)


@router.post("/visits/{key}/procedures/{part}/{act}")
def change_procedure(
    request: Request, viewer: CanWrite, db: Db, visits: Service_, key: int, part: int, act: str
) -> Response:
    visits.remove_procedure(key, part, restore=act == "restore")
    return _answer(request, db, viewer, key, "procedures", _undo(act, f"/visits/{key}/procedures/{part}"))


@router.post("/visits/{key}/referrals")
def add_referral(request: Request, viewer: CanWrite, db: Db, visits: Service_, form: Form, key: int) -> Response:
    _form_of("referrals", key, request, db, viewer, form)
    visits.add_referral(key, parse(AddReferral, form))
    return _answer(request, db, viewer, key, "referrals", None)


@router.post("/visits/{key}/referrals/{part}/revoke")
def revoke_referral(
    request: Request, viewer: CanWrite, db: Db, visits: Service_, form: Form, key: int, part: int
) -> Response:
    visits.revoke_referral(key, part, form.get("reason", ""))
    return see_other(request, f"/visits/{key}#referrals", Flash("visits.referral_revoked", "info"))


def _undo(act: str, address: str) -> Flash:
    if act == "restore":
        return Flash("visits.part_restored")
    return Flash("visits.part_removed", "info", undo_url=f"{address}/restore")


def waiting(db: Session, viewer: Viewer) -> int:
    """Visits that the doctor has begun and not signed."""
    return repository.count_open_visits(db, viewer.practitioner_id) if viewer.practitioner_id else 0


NAV: list[Any] = [NavItem("visits.nav_open", "/visits", "encounters.write", icon="visit", order=30, shortcut="v")]
TILES: list[Any] = [
    Tile(
        "visits.nav_open",
        "/visits",
        "encounters.write",
        icon="visit",
        hint_key="visits.tile_open",
        count=waiting,
    )
]
