"""Screens of results: entry by hand, report, correction, print, course of a test over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from kmis.clock import local_date
from operational.domains.catalogs import repository as catalogs
from operational.domains.catalogs.models import LabTest
from operational.domains.orders import curve, repository, views
from operational.domains.orders.intervals import Interval, intervals_for
from operational.domains.orders.models import DiagnosticOrder, DiagnosticReport
from operational.domains.orders.permissions import CanReadResults, CanWriteResults
from operational.domains.orders.results import ManualResults, field_of
from operational.domains.orders.rules import rules
from operational.domains.orders.schemas import Results
from operational.domains.organisation.models import OrganisationVersion, Practitioner
from operational.domains.patients import repository as patients
from operational.domains.patients import service as people
from operational.domains.patients.models import Patient
from operational.domains.patients.views import age_text
from operational.kit.audit import audit
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, FormValues
from operational.web.language import language_of
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A test in the form: its field, its range on the day, the values of its list where it has one."""

    test: LabTest
    name: str
    field: str
    unit: str
    interval: str
    note: str
    choices: Sequence[tuple[str, str]]
    value: str


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Values of an order are typed: new ones, a preliminary report's, or a correction of a final one."""

    order: DiagnosticOrder | None
    report: DiagnosticReport | None
    patient: Patient
    name: str
    lines: Sequence[EntryLine]
    imaging: bool
    correcting: bool
    action: str
    back: str
    values: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One report with its values."""

    report: DiagnosticReport
    order: DiagnosticOrder | None
    patient: Patient
    name: str
    age: str
    lines: Sequence[views.ValueLine]
    abnormal: int
    tone: str
    owner: OrganisationVersion | None
    doctor: Practitioner | None
    may_write: bool
    values: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class TrendPage:
    """The course of one test of a person."""

    report: DiagnosticReport
    patient: Patient
    name: str
    test: LabTest
    test_name: str
    curve: curve.Curve | None
    lines: Sequence[views.ValueLine]


def service(request: Request, db: Db) -> ManualResults:
    return ManualResults(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[ManualResults, Depends(service)]


def _line(test: LabTest, interval: Interval | None, language: str, value: str, names: dict[str, str]) -> EntryLine:
    return EntryLine(
        test=test,
        name=views.localized(test, language),
        field=field_of(test.code),
        unit="" if test.code in rules().coded else views.unit_text(test.unit, language),
        interval=views.interval_text(interval.low, interval.high) if interval else "",
        note=(interval.note or "") if interval else "",
        choices=[(code, names.get(code, code)) for code in rules().coded.get(test.code, ())],
        value=value,
    )


def _entry(
    request: Request,
    db: Session,
    results: ManualResults,
    order: DiagnosticOrder | None,
    report: DiagnosticReport | None,
    form: FormValues | None = None,
    *,
    correcting: bool = False,
) -> EntryPage:
    owner = order or report
    patient = patients.get(db, owner.patient_id) if owner else None
    if patient is None:
        raise NotFound()
    language, zone = language_of(request), results.zone
    standing = {row.test_code: row for row, _ in repository.results(db, [report.id])} if report else {}
    tests = repository.tests(db, [order.id]).get(order.id, []) if order else []
    if correcting or order is None:
        extra = [code for code in standing if code and code not in {test.code for test in tests}]
        tests = [*tests, *catalogs.lab_tests_by_codes(db, extra)]
        if correcting:
            tests = [test for test in tests if test.code in standing]
    elif order is not None:
        others = [r.id for r in repository.reports(db, order.id) if report is None or r.id != report.id]
        taken = {row.test_code for row, _ in repository.results(db, others)}
        tests = [test for test in tests if test.code not in taken]
    now = request.app.state.clock.now()
    collected = (report.collected_at if report else None) or now
    ranges = intervals_for(db, patient, [test.code for test in tests], local_date(collected, zone))
    names = {code: views.localized(row, language) for (_, code), row in repository.coded_names(db, "lab_value").items()}
    typed = dict(form or {})
    lines = [
        _line(
            test, ranges.get(test.code), language,
            typed.get(field_of(test.code), views.typed_value(standing[test.code]) if test.code in standing else ""),
            names,
        )
        for test in tests
    ]  # fmt: skip
    if report and correcting:
        action = f"/results/{report.id}/correct"
    else:
        action = f"/orders/{order.id}/results" if order else f"/results/{report.id if report else 0}/correct"
    typed.setdefault("collected_date", collected.astimezone(zone).strftime("%d.%m.%Y"))
    typed.setdefault("collected_time", collected.astimezone(zone).strftime("%H:%M"))
    typed.setdefault("conclusion", (report.conclusion if report else None) or "")
    if report and not correcting:
        typed.setdefault("report_id", str(report.id))
    return EntryPage(
        order=order,
        report=report,
        patient=patient,
        name=views.full_name(patient),
        lines=lines,
        imaging=(order.category if order else report.category if report else "") == "imaging",
        correcting=correcting,
        action=action,
        back=f"/results/{report.id}" if report else f"/orders/{order.id if order else 0}",
        values=typed,
        errors={},
    )


def _typed(form: FormValues, results: ManualResults, *, confirm: bool = False) -> Results:
    collected = views.moment(
        form.get("collected_date", ""), form.get("collected_time", ""), results.zone, "collected_date"
    )
    given = [
        {"test_code": name.removeprefix("value_"), "value": text}
        for name, text in form.items()
        if name.startswith("value_")
    ]
    try:
        return Results.model_validate(
            {"collected_at": collected, "conclusion": form.get("conclusion"), "values": given, "confirm": confirm}
        )
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None


@router.get("/orders/{key:int}/results", response_class=HTMLResponse)
def entry(request: Request, viewer: CanWriteResults, db: Db, results: Service, key: int) -> HTMLResponse:
    """The form of a new report, or of the preliminary one that was begun by hand."""
    order = results.orders.get(key)
    begun = [row for row in repository.reports(db, key) if row.status == "preliminary" and row.source == "manual"]
    mine = [row for row in begun if row.owner_organisation_id in viewer.organisation_ids]
    return render(request, "orders/entry.html", _entry(request, db, results, order, mine[0] if mine else None))


@router.post("/orders/{key:int}/results")
def write(request: Request, viewer: CanWriteResults, db: Db, results: Service, form: Form, key: int) -> Response:
    order = results.orders.get(key)
    typed_key = form.get("report_id", "")
    report = results.report(int(typed_key)) if typed_key.isdecimal() else None
    rerender_on_error(request, "orders/entry.html", _entry(request, db, results, order, report, form))
    confirm = form.get("act") == "confirm"
    saved = results.write(key, _typed(form, results, confirm=confirm), report.id if report else None)
    return see_other(request, f"/results/{saved.id}", Flash("results.confirmed" if confirm else "results.saved"))


def _page(
    request: Request, db: Session, viewer: Viewer, results: ManualResults, key: int, values: FormValues | None = None
) -> ReportPage:
    report = results.report(key)
    patient = patients.get(db, report.patient_id)
    if patient is None:
        raise NotFound()
    language = language_of(request)
    day = local_date(report.collected_at or report.issued_at, results.zone)
    lines = views.value_lines(db, [key], language)
    return ReportPage(
        report=report,
        order=repository.order(db, report.order_id) if report.order_id is not None else None,
        patient=patient,
        name=views.full_name(patient),
        age=age_text(patient, day, language),
        lines=lines,
        abnormal=sum(line.abnormal for line in lines),
        tone=views.REPORT_TONES[report.status],
        owner=repository.organisation_name(db, report.owner_organisation_id, day),
        doctor=repository.practitioner(db, report.practitioner_id),
        may_write=viewer.can("results.write") and report.owner_organisation_id in viewer.organisation_ids,
        values=dict(values or {}),
        errors={},
    )


@router.get("/results/{key:int}", response_class=HTMLResponse)
def show(request: Request, viewer: CanReadResults, db: Db, results: Service, key: int) -> HTMLResponse:
    page = _page(request, db, viewer, results, key)
    audit(db, "report.opened", object_table="diagnostic_report", object_id=key)
    return render(request, "orders/report.html", page)


@router.get("/results/{key:int}/print", response_class=HTMLResponse)
def print_page(request: Request, viewer: CanReadResults, db: Db, results: Service, key: int) -> HTMLResponse:
    page = _page(request, db, viewer, results, key)
    audit(db, "report.printed", object_table="diagnostic_report", object_id=key)
    return render(request, "orders/report_print.html", page)


@router.get("/results/{key:int}/trend/{test_code}", response_class=HTMLResponse)
def trend(request: Request, viewer: CanReadResults, db: Db, results: Service, key: int, test_code: str) -> HTMLResponse:
    """The course of a test over all records of the person whose report this is."""
    report = results.report(key)
    tests = catalogs.lab_tests_by_codes(db, [test_code])
    if not tests:
        raise NotFound()
    records = people.records_of_person(db, report.patient_id)
    rows = repository.trend(db, [record.id for record in records], test_code)
    language = language_of(request)
    lines = [views.value_line(row, tests[0], {}, language) for row in reversed(rows)]
    page = TrendPage(
        report, records[0], views.full_name(records[0]), tests[0], views.localized(tests[0], language),
        curve.draw(rows), lines,
    )  # fmt: skip
    return render(request, "orders/trend.html", page)


@router.post("/results/{key:int}/confirm")
def confirm(request: Request, viewer: CanWriteResults, db: Db, results: Service, key: int) -> Response:
    rerender_on_error(request, "orders/report.html", _page(request, db, viewer, results, key))
    results.confirm(key)
    return see_other(request, f"/results/{key}", Flash("results.confirmed"))


@router.get("/results/{key:int}/correct", response_class=HTMLResponse)
def correction(request: Request, viewer: CanWriteResults, db: Db, results: Service, key: int) -> HTMLResponse:
    report = results.report(key)
    order = repository.order(db, report.order_id) if report.order_id is not None else None
    return render(request, "orders/entry.html", _entry(request, db, results, order, report, correcting=True))


@router.post("/results/{key:int}/correct")
def correct(request: Request, viewer: CanWriteResults, db: Db, results: Service, form: Form, key: int) -> Response:
    report = results.report(key)
    order = repository.order(db, report.order_id) if report.order_id is not None else None
    rerender_on_error(request, "orders/entry.html", _entry(request, db, results, order, report, form, correcting=True))
    results.correct(key, _typed(form, results), form.get("reason", ""))
    return see_other(request, f"/results/{key}", Flash("results.corrected"))


@router.post("/results/{key:int}/void")
def void(request: Request, viewer: CanWriteResults, db: Db, results: Service, form: Form, key: int) -> Response:
    rerender_on_error(request, "orders/report.html", _page(request, db, viewer, results, key, form))
    results.void(key, form.get("reason", ""))
    return see_other(request, f"/results/{key}", Flash("results.voided", "info"))


@router.post("/results/{key:int}/restore")
def restore(request: Request, viewer: CanWriteResults, db: Db, results: Service, form: Form, key: int) -> Response:
    rerender_on_error(request, "orders/report.html", _page(request, db, viewer, results, key, form))
    results.restore(key, form.get("reason", ""))
    return see_other(request, f"/results/{key}", Flash("results.restored"))
