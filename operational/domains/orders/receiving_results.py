"""Reports and values out of a laboratory message: new ones, later editions of known ones, withdrawn ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from operational.domains.orders import receiving_repository as repository
from operational.domains.orders.models import DeviceMessage, DiagnosticReport, LabResult
from operational.domains.orders.receiving_matching import begin_order, complete_order
from operational.domains.orders.receiving_schemas import LabMessage, LabReport, LabValue, Match
from operational.kit.db import give_reason

WITHDRAWN = "withdrawn by the laboratory"
VALUE_COLUMNS = (
    "device_name", "value_kind", "value_number", "comparator", "value_text", "unit", "reference_low",
    "reference_high", "interpretation", "observed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TestCodes:
    """The catalogue's tests by the device's own code, by LOINC, and by the catalogue's code."""

    by_device: Mapping[str, str]
    by_loinc: Mapping[str, str]
    catalogue: Collection[str]

    def of(self, value: LabValue) -> str | None:
        """The catalogue's code of a value's test; None while nobody has mapped it."""
        code = value.device_code or ""
        return (
            self.by_device.get(code)
            or self.by_loinc.get(value.loinc or code)
            or (code if code in self.catalogue else None)
        )


class FillerTaken(Exception):
    """The laboratory's number belongs to a report of another person or another order."""


def record_reports(
    session: Session, row: DeviceMessage, device_code: str, message: LabMessage, match: Match, now: datetime,
    *, numbered: bool = True,
) -> tuple[int, ...]:  # fmt: skip
    """Write the reports of a message for the matched person and return their keys.

    Raises FillerTaken before anything is written. ``numbered=False`` leaves the laboratory's numbers out.
    """
    kept = []
    for report in message.reports:
        number = number_of(device_code, report) if numbered else None
        written = _write_report(session, row, number, report, match)
        if written is not None:
            kept.append(written.id)
    if match.order_id is not None and kept:
        order = repository.order(session, match.order_id)
        begin_order(order)
        final = all(report.status != "preliminary" for report in message.reports)
        if final and not repository.tests_without_result(session, match.order_id):
            complete_order(order, now)
    return tuple(kept)


def number_of(device_code: str, report: LabReport) -> str | None:
    """Two analysers count from one each: the device's code makes the number unique in the organisation."""
    return f"{device_code}:{report.filler_number}" if report.filler_number else None


def withdraw_report(session: Session, report: DiagnosticReport, reason: str, now: datetime) -> None:
    """Void a report and its values."""
    give_reason(session, reason)
    for result in repository.results(session, report.id):
        result.voided_at, result.void_reason = now, reason
    report.voided_at, report.void_reason = now, reason
    session.flush()


def _write_report(
    session: Session, row: DeviceMessage, number: str | None, delivered: LabReport, match: Match
) -> DiagnosticReport | None:
    if match.patient_id is None:
        raise ValueError("a report is written for a person")
    known = _known(session, row, number, match)
    if known is not None and delivered.issued_at < known.issued_at:
        return known  # an older edition, sent again or taken up late, changes nothing
    if delivered.withdrawn:
        if known is not None:
            withdraw_report(session, known, WITHDRAWN, delivered.issued_at)
        return None
    if known is None:
        if not any(not value.withdrawn for value in delivered.values) and delivered.conclusion is None:
            return None
        known = DiagnosticReport(
            owner_organisation_id=row.owner_organisation_id, patient_id=match.patient_id, order_id=match.order_id,
            category="laboratory", source="device", filler_number=number, device_message_id=row.id,
            status=delivered.status, collected_at=delivered.collected_at, issued_at=delivered.issued_at,
            conclusion=delivered.conclusion,
        )  # fmt: skip
        session.add(known)
        session.flush()
        _write_values(session, row, known, delivered)
        return known
    if known.status != "preliminary" and delivered.status == "preliminary":
        return known  # what was final is not made preliminary by a late message
    give_reason(session, f"message {row.control_id} of the laboratory")
    changed = _write_values(session, row, known, delivered)
    if delivered.status == "corrected" or (changed and known.status != "preliminary"):
        known.status = "corrected"
    elif known.status == "preliminary":
        known.status = delivered.status
    known.device_message_id = row.id
    known.issued_at = delivered.issued_at
    known.collected_at = delivered.collected_at or known.collected_at
    known.conclusion = delivered.conclusion or known.conclusion
    session.flush()
    return known


def _known(session: Session, row: DeviceMessage, number: str | None, match: Match) -> DiagnosticReport | None:
    """The report that the message is a later edition of."""
    if number is None:
        return repository.unnumbered_report(session, match.order_id) if match.order_id is not None else None
    known = repository.report_of_filler(session, row.owner_organisation_id, number)
    if known is None:
        return None
    if known.patient_id != match.patient_id:
        raise FillerTaken
    if match.order_id is not None and known.order_id not in (None, match.order_id):
        raise FillerTaken
    return known


def _write_values(session: Session, row: DeviceMessage, report: DiagnosticReport, delivered: LabReport) -> bool:
    """Bring the report's values to what was delivered; True when a value that stood there changed."""
    values = merged(delivered.values)
    tests = TestCodes(
        *repository.test_codes(
            session, row.device_id, [value.device_code for value in values if value.device_code],
            [value.loinc for value in values if value.loinc],
        )
    )  # fmt: skip
    standing = repository.results(session, report.id)
    by_test = {result.test_code: result for result in standing if result.test_code}
    by_name = {result.device_code: result for result in standing if result.device_code}
    changed = False
    for value in values:
        code = value.device_code or ""
        test = tests.of(value)
        result = (by_test.get(test) if test else None) or by_name.get(code)
        if value.withdrawn:
            if result is not None:
                result.voided_at, result.void_reason = delivered.issued_at, WITHDRAWN
                changed = True
            continue
        wanted = columns_of(value, delivered)
        if result is None:
            result = LabResult(
                owner_organisation_id=report.owner_organisation_id, report_id=report.id, patient_id=report.patient_id,
                test_code=test, device_code=value.device_code, status=value.status, **wanted,
            )  # fmt: skip
            session.add(result)
            if test:
                by_test[test] = result
            continue
        if value.status == "preliminary" and result.status != "preliminary":
            continue
        differs = any(_differs(getattr(result, name), wanted[name]) for name in VALUE_COLUMNS)
        for name in VALUE_COLUMNS:
            setattr(result, name, wanted[name])
        result.test_code = result.test_code or test
        if result.status == "preliminary":
            result.status = value.status
        elif differs or value.status == "corrected":
            result.status = "corrected"
            changed = True
    session.flush()
    return changed


def columns_of(value: LabValue, delivered: LabReport) -> dict[str, Any]:
    """The columns of a value that come from its message."""
    return {
        "device_name": value.device_name,
        "value_kind": value.kind,
        "value_number": value.number,
        "comparator": value.comparator,
        "value_text": value.text,
        "unit": value.unit,
        "reference_low": value.reference_low,
        "reference_high": value.reference_high,
        "interpretation": value.interpretation or _judged(value),
        "observed_at": value.observed_at or delivered.collected_at or delivered.issued_at,
    }


def _judged(value: LabValue) -> str | None:
    """Low, normal or high by the range that the laboratory states itself."""
    if value.number is None or (value.reference_low is None and value.reference_high is None):
        return None
    if value.reference_low is not None and (value.number < value.reference_low):
        return "L"
    if value.reference_high is not None and value.number > value.reference_high:
        return "H"
    return None if value.comparator else "N"


def _differs(standing: object, wanted: object) -> bool:
    if isinstance(standing, Decimal) and isinstance(wanted, Decimal):
        return standing != round(wanted, 6)
    return standing != wanted


def merged(values: Iterable[LabValue]) -> list[LabValue]:
    """One value per test: further lines of a text are joined, a later number replaces an earlier one."""
    merged: dict[str, LabValue] = {}
    for place, value in enumerate(values):
        key = value.device_code or value.loinc or f"#{place}"
        before = merged.get(key)
        if before is not None and before.kind != "numeric" and value.kind != "numeric" and not value.withdrawn:
            joined = "\n".join(part for part in (before.text, value.text) if part)
            value = value.model_copy(update={"text": joined})
        merged[key] = value
    return list(merged.values())
