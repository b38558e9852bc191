"""The discharge: the form with the epicrisis written from the stay, its correction, its paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.catalogs.repository import icd10_by_codes
from operational.domains.inpatient import epicrisis, errors, repository, views
from operational.domains.inpatient.pages_stay import Service, StayPage, stay_page
from operational.domains.inpatient.permissions import CanDischarge, CanRead
from operational.domains.inpatient.schemas import Discharge
from operational.domains.inpatient.views import Choices, StayHead
from operational.domains.patients import dying
from operational.domains.patients import views as people
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, parse
from operational.web.language import language_of
from operational.web.shell import render, rerender_on_error, see_other

router = APIRouter(include_in_schema=False)
OUTCOMES = ("discharged", "transferred", "left", "died")


@dataclass(frozen=True, slots=True)
class DischargePage:
    """The end of a stay; ``correcting`` when it was signed before."""

    head: StayHead
    correcting: bool
    choices: Mapping[str, Choices]
    organisations: Choices
    outcomes: Sequence[str]
    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class EpicrisisPage:
    """The epicrisis as a paper."""

    stay: StayPage
    organisation: str
    signer: str


def _page(request: Request, db: Session, key: int, values: Mapping[str, str] | None = None) -> DischargePage:
    head, language = views.head(db, key, request), language_of(request)
    stay = head.stay
    return DischargePage(
        head=head,
        correcting=stay.discharged_at is not None,
        choices=views.choices(views.coded(db), language),
        organisations=views.other_organisations(db, (stay.owner_organisation_id,), people.today_of(request), language),
        outcomes=OUTCOMES,
        values=_start(request, db, head) if values is None else values,
        errors={},
    )


def _start(request: Request, db: Session, head: StayHead) -> dict[str, str]:
    """What the form holds before anybody types: the signed text, or one written from the stay."""
    stay, language = head.stay, language_of(request)
    zone_name = request.app.state.settings.timezone
    written = epicrisis.write(db, stay, head.person.name, head.person.age, language, zone_name)
    values = {
        "discharged_at": views.moment_value(stay.discharged_at, request) or views.now_value(request),
        "outcome": stay.outcome or "discharged", "treatment_result": stay.treatment_result or "improvement",
        "target_organisation_id": str(stay.target_organisation_id or ""),
        "epicrisis": stay.epicrisis or written, "recommendations": stay.recommendations or "",
    }  # fmt: skip
    if head.main is not None:
        values["icd10_code"] = head.main.diagnosis.icd10_code
        values["icd10_code_text"] = f"{head.main.icd10.code} {views.named(head.main.icd10, language)}"
    if stay.outcome == "died" and (death := dying.death_of_person(db, stay.patient_id)) is not None:
        codes = [code for code in (death.underlying_icd10, death.immediate_icd10) if code]
        names = {row.code: row for row in icd10_by_codes(db, codes)}
        for field in ("underlying_icd10", "immediate_icd10"):
            code = getattr(death, field) or ""
            values[field] = code
            values[f"{field}_text"] = f"{code} {views.named(names[code], language)}" if code in names else code
        values |= {"certificate_number": death.certificate_number or "", "maternal": death.maternal}
        values["autopsy_flag"] = "1" if death.autopsy_flag else ""
    return values


@router.get("/stays/{key:int}/discharge", response_class=HTMLResponse)
def discharge_form(key: int, request: Request, viewer: CanDischarge, db: Db) -> HTMLResponse:
    """The form of the discharge, or of its correction."""
    return render(request, "inpatient/discharge.html", _page(request, db, key))


@router.post("/stays/{key:int}/discharge", response_class=HTMLResponse)
def discharge(key: int, request: Request, viewer: CanDischarge, db: Db, stays: Service, form: Form) -> Response:
    """Discharge and sign; of a signed discharge a corrected version, with the reason."""
    page = _page(request, db, key, form)
    rerender_on_error(request, "inpatient/discharge.html", page)
    wanted = parse(Discharge, form, autopsy_flag="autopsy_flag" in form)
    if page.correcting and "reason" in form:
        stays.correct(key, wanted, form["reason"])
        return see_other(request, f"/stays/{key}", Flash("inpatient.discharge_corrected"))
    if page.correcting:
        raise errors.StayClosed()
    stays.discharge(key, wanted)
    return see_other(request, f"/stays/{key}", Flash("inpatient.discharged_ok"))


@router.get("/stays/{key:int}/epicrisis", response_class=HTMLResponse)
def paper(key: int, request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    """The epicrisis on A4."""
    shown, language = stay_page(request, db, key), language_of(request)
    stay = shown.head.stay
    day = stay.admitted_at.astimezone(request.app.state.settings.zone).date()
    organisation = repository.organisation_name(db, stay.owner_organisation_id, day)
    doctor = shown.head.doctor
    name = " ".join(filter(None, (doctor.surname, doctor.given_name, doctor.patronymic))) if doctor else ""
    page = EpicrisisPage(shown, views.named(organisation, language) if organisation else "", name)
    return render(request, "inpatient/epicrisis.html", page)
