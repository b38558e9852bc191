"""Forms of the register: registration, correction, attachment, opening a record of the region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from operational.domains.catalogs import service as catalogs
from operational.domains.catalogs.repository import kato_by_code
from operational.domains.patients import attaching, repository, service, views
from operational.domains.patients.models import Patient
from operational.domains.patients.permissions import CanAttach, CanRegister
from operational.domains.patients.repository import AttachmentRow, SiteRow
from operational.domains.patients.schemas import AttachmentIn, Edit, Registration
from operational.domains.patients.service import Review
from operational.domains.patients.views import CardHead, PersonLine
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.formats import format_date
from operational.web.forms import Form, FormValues, parse
from operational.web.language import language_of
from operational.web.shell import render, rerender_on_error, see_other

router = APIRouter()
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PersonForm:
    """Registration or correction. ``review`` holds what the registrar has to confirm."""

    values: Mapping[str, str]
    errors: dict[str, str]
    kind: str
    kinds: Choices
    sexes: Choices
    countries: Choices
    document_kinds: Choices
    patient: Patient | None = None
    review: Review = field(default_factory=Review)
    candidates: Sequence[PersonLine] = ()


@dataclass(frozen=True, slots=True)
class AttachmentPage:
    """Attachment of a person: the form and the history."""

    head: CardHead
    values: Mapping[str, str]
    errors: dict[str, str]
    sites: Sequence[SiteRow]
    rows: Sequence[AttachmentRow]


def _form(request: Request, db: Db, values: Mapping[str, str], *, patient: Patient | None = None) -> PersonForm:
    language = language_of(request)
    kind = values.get("identity_kind", "citizen")
    documents = catalogs.values(db, "document_kind")
    return PersonForm(
        values=values,
        errors={},
        kind=kind if kind in views.KINDS else "citizen",
        kinds=views.kinds(language),
        sexes=views.sexes(language),
        countries=views.countries(language),
        document_kinds=[(row.code, row.name_kk if language == "kk" else row.name_ru) for row in documents],
        patient=patient,
    )


def _earlier(form: FormValues) -> list[str]:
    return [part.strip() for part in form.get("earlier_surnames", "").split(",") if part.strip()]


def _confirming(request: Request, db: Db, page: PersonForm, review: Review, confirmed: bool) -> PersonForm | None:
    """The form with what is still to be confirmed; None when nothing is."""
    reason = page.values.get("iin_mismatch_reason", "")
    unconfirmed = bool(review.disagreements) and len(reason.strip()) < service.LEAST_REASON
    if review.errors or not (review.existing or unconfirmed or (review.candidates and not confirmed)):
        return None
    language, today = language_of(request), views.today_of(request)
    alike = service.listed(db, review.candidates, len(review.candidates))
    return PersonForm(
        page.values, page.errors, page.kind, page.kinds, page.sexes, page.countries, page.document_kinds,
        page.patient, review, views.lines(alike, today, language),
    )  # fmt: skip


@router.get("/patients/new", response_class=HTMLResponse)
def new(request: Request, viewer: CanRegister, db: Db, kind: str = "citizen") -> HTMLResponse:
    """The registration form of a kind of identity."""
    start = {"identity_kind": kind, "citizenship": "KAZ", "sex": ""}
    return render(request, "patients/new.html", _form(request, db, start))


@router.post("/patients/new", response_class=HTMLResponse)
def create(request: Request, viewer: CanRegister, db: Db, form: Form) -> Response:
    """Register; what needs a confirmation comes back as the same form with the question."""
    page = _form(request, db, form)
    rerender_on_error(request, "patients/new.html", page)
    person = parse(Registration, form, earlier_surnames=_earlier(form))
    review = service.review(db, person, views.today_of(request))
    asked = _confirming(request, db, page, review, person.confirm_not_duplicate)
    if asked is not None:
        return render(request, "patients/new.html", asked, 409 if review.existing else 422)
    patient = service.register(db, person, views.today_of(request))
    return see_other(request, f"/patients/{patient.id}", Flash("patients.registered"))


@router.post("/patients/open", response_class=HTMLResponse)
def open_by_iin(request: Request, viewer: CanRegister, db: Db, form: Form) -> Response:
    """Open the region's record with an IIN to the viewer's organisation, with a reason."""
    patient_id = service.open_by_iin(db, form.get("iin", ""), form.get("open_reason", ""))
    return see_other(request, f"/patients/{patient_id}", Flash("patients.opened", "info"))


def _values_of(patient: Patient, zone: str) -> dict[str, str]:
    names = (
        "identity_kind", "iin", "surname", "given_name", "patronymic", "sex", "document_kind", "document_number",
        "citizenship", "phone", "address", "residence_kato", "iin_mismatch_reason",
    )  # fmt: skip
    values = {name: str(getattr(patient, name) or "") for name in names}
    values["birth_date"] = format_date(patient.birth_date, zone)
    values["death_date"] = format_date(patient.death_date, zone)
    values["earlier_surnames"] = ", ".join(patient.earlier_surnames)
    values["mother_id"] = str(patient.mother_id or "")
    values["birth_order"] = str(patient.birth_order or "")
    values["urban_flag"] = "" if patient.urban_flag is None else str(patient.urban_flag).lower()
    return values


@router.get("/patients/{patient_id:int}/edit", response_class=HTMLResponse)
def edit_form(patient_id: int, request: Request, viewer: CanRegister, db: Db, kind: str = "") -> HTMLResponse:
    """The correction form of a record."""
    patient = service.get(db, patient_id)
    values = _values_of(patient, request.app.state.settings.timezone)
    if kind in views.KINDS:
        values["identity_kind"] = kind
    mother = service.mothers_of(db, [patient]).get(patient.mother_id or 0)
    values["mother_id_text"] = service.full_name(mother) if mother else ""
    place = kato_by_code(db, patient.residence_kato) if patient.residence_kato else None
    if place is not None:
        kazakh = place.name_kk if language_of(request) == "kk" else None
        values["residence_kato_text"] = f"{place.code} {kazakh or place.name_ru}"
    return render(request, "patients/edit.html", _form(request, db, values, patient=patient))


@router.post("/patients/{patient_id:int}/edit", response_class=HTMLResponse)
def edit(patient_id: int, request: Request, viewer: CanRegister, db: Db, form: Form) -> Response:
    """Correct a record, with a reason."""
    page = _form(request, db, form, patient=service.get(db, patient_id))
    rerender_on_error(request, "patients/edit.html", page)
    person = parse(Edit, form, earlier_surnames=_earlier(form))
    review = service.review(db, person, views.today_of(request), own_id=patient_id)
    asked = _confirming(request, db, page, review, confirmed=True)
    if asked is not None:
        return render(request, "patients/edit.html", asked, 409 if review.existing else 422)
    service.edit(db, patient_id, person, views.today_of(request))
    return see_other(request, f"/patients/{patient_id}", Flash("patients.edited"))


def _attachment_page(
    request: Request, db: Db, viewer: CanAttach, patient_id: int, values: Mapping[str, str]
) -> AttachmentPage:
    head = views.card_head(db, patient_id, request, language_of(request))
    keys = [record.id for record in head.records]
    sites = repository.sites(db, sorted(viewer.organisation_ids), views.today_of(request))
    return AttachmentPage(head, values, {}, sites, repository.attachments(db, keys))


@router.get("/patients/{patient_id:int}/attachment", response_class=HTMLResponse)
def attachment(patient_id: int, request: Request, viewer: CanAttach, db: Db) -> HTMLResponse:
    """The attachment form and history of a person."""
    start = {"valid_from": format_date(views.today_of(request), request.app.state.settings.timezone)}
    return render(request, "patients/attachment.html", _attachment_page(request, db, viewer, patient_id, start))


@router.post("/patients/{patient_id:int}/attachment", response_class=HTMLResponse)
def attach(patient_id: int, request: Request, viewer: CanAttach, db: Db, form: Form) -> Response:
    """Attach a person to a site."""
    rerender_on_error(request, "patients/attachment.html", _attachment_page(request, db, viewer, patient_id, form))
    attaching.attach(db, patient_id, parse(AttachmentIn, form), views.today_of(request))
    return see_other(request, f"/patients/{patient_id}", Flash("patients.attached"))
