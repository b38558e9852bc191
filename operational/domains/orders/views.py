"""Orders, values and moments as the screens show and read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from operational.domains.catalogs.models import CodedValue, LabTest
from operational.domains.orders import errors, repository
from operational.domains.orders.models import DiagnosticOrder, LabResult
from operational.domains.orders.rules import rules
from operational.domains.patients.models import Patient
from operational.web.formats import parse_date

CATEGORIES = ("laboratory", "imaging")
STATUSES = ("active", "in_progress", "completed", "cancelled")
PRIORITIES = ("routine", "urgent", "stat")
ORDER_TONES = {"active": "info", "in_progress": "warning", "completed": "ok", "cancelled": "danger"}
REPORT_TONES = {"preliminary": "warning", "final": "ok", "corrected": "info"}
PRIORITY_TONES = {"routine": "neutral", "urgent": "warning", "stat": "danger"}
# A sign that is seen without colour, in print too.
MARKS = {"LL": "▼▼", "L": "▼", "H": "▲", "HH": "▲▲", "A": "!"}


@dataclass(frozen=True, slots=True)
class ValueLine:
    """A value of a report: what is shown of it."""

    row: LabResult
    test: LabTest | None
    name: str
    value: str
    unit: str
    interval: str
    mark: str
    abnormal: bool


@dataclass(frozen=True, slots=True)
class PanelGroup:
    """The tests of a panel that can be chosen."""

    code: str
    title: str
    tests: Sequence[LabTest]


def number_text(value: Decimal | None) -> str:
    """A number as it was measured: no trailing zeros, a comma."""
    if value is None:
        return ""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")


def interval_text(low: Decimal | None, high: Decimal | None) -> str:
    """A range: from – to, or one side of it."""
    if low is None and high is None:
        return ""
    if low is None:
        return f"≤ {number_text(high)}"
    return f"≥ {number_text(low)}" if high is None else f"{number_text(low)}–{number_text(high)}"


def unit_text(unit: str | None, language: str) -> str:
    """A unit as it is written in the language."""
    return rules().units_kk.get(unit or "", unit or "") if language == "kk" else unit or ""


def localized(row: CodedValue | LabTest | None, language: str, code: str = "") -> str:
    """The name in the language; Russian where there is no Kazakh one, the code where there is no entry."""
    if row is None:
        return code
    return (row.name_kk if language == "kk" else None) or row.name_ru


def value_lines(session: Session, report_ids: Sequence[int], language: str) -> list[ValueLine]:
    """The values of reports as lines of a table."""
    coded = repository.coded_names(session, "lab_value")
    return [value_line(row, test, coded, language) for row, test in repository.results(session, report_ids)]


def value_line(
    row: LabResult, test: LabTest | None, coded: dict[tuple[str, str], CodedValue], language: str
) -> ValueLine:
    """One value as a line."""
    if row.value_kind == "numeric":
        value = f"{row.comparator or ''}{number_text(row.value_number)}"
    elif row.value_kind == "coded":
        value = localized(coded.get(("lab_value", row.value_text or "")), language, row.value_text or "")
    else:
        value = row.value_text or ""
    name = localized(test, language) if test else " ".join(p for p in (row.device_code, row.device_name) if p) or "—"
    mark = MARKS.get(row.interpretation or "", "")
    interval = interval_text(row.reference_low, row.reference_high)
    return ValueLine(row, test, name, value, unit_text(row.unit, language), interval, mark, bool(mark))


def typed_value(row: LabResult) -> str:
    """A stored value as it is typed into the form."""
    if row.value_kind == "numeric":
        return f"{row.comparator or ''}{number_text(row.value_number)}"
    return row.value_text or ""


def panels(session: Session, tests: Iterable[LabTest], language: str) -> list[PanelGroup]:
    """The tests by panel, in the order of the directory of panels."""
    by_panel: dict[str, list[LabTest]] = {}
    for test in tests:
        by_panel.setdefault(test.panel or "", []).append(test)
    names = repository.coded_names(session, "lab_panel")
    order = [code for _, code in names] + [code for code in by_panel if ("lab_panel", code) not in names]
    return [
        PanelGroup(code, localized(names.get(("lab_panel", code)), language, code), by_panel[code])
        for code in order
        if code in by_panel
    ]


def title_of(
    order: DiagnosticOrder, tests: Sequence[LabTest], coded: dict[tuple[str, str], CodedValue], language: str
) -> str:
    """What is ordered, in a line: the first tests, or the machine and the part of the body."""
    if order.category == "imaging":
        parts = (
            localized(coded.get(("modality", order.modality or "")), language, order.modality or ""),
            localized(coded.get(("body_part", order.body_part or "")), language, order.body_part or ""),
        )
        return ", ".join(part for part in parts if part)
    shown = ", ".join(localized(test, language) for test in tests[:4])
    return f"{shown} +{len(tests) - 4}" if len(tests) > 4 else shown


def full_name(patient: Patient) -> str:
    """Surname, given name and patronymic."""
    return " ".join(part for part in (patient.surname, patient.given_name, patient.patronymic) if part)


def moment(day: str, clock: str, zone: ZoneInfo, field: str) -> datetime | None:
    """A typed day and time on the clock of the organisation; None when no day is typed.

    Raises BadMoment at ``field``.
    """
    try:
        parsed = parse_date(day)
        if parsed is None:
            if clock.strip():
                raise ValueError
            return None
        time = datetime.strptime(clock.strip() or "00:00", "%H:%M").time()
    except ValueError:
        raise errors.BadMoment(field) from None
    return datetime.combine(parsed, time, zone)


def day_bound(text: str, zone: ZoneInfo, field: str) -> datetime | None:
    """The beginning of a typed day in the zone. Raises BadMoment at ``field``."""
    try:
        parsed: date | None = parse_date(text)
    except ValueError:
        raise errors.BadMoment(field) from None
    return datetime.combine(parsed, datetime.min.time(), zone) if parsed else None
