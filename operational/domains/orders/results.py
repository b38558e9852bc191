"""Results entered by hand: written, confirmed, corrected, voided."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.catalogs import files
from operational.domains.catalogs import repository as catalogs
from operational.domains.catalogs.models import LabTest
from operational.domains.orders import errors, repository
from operational.domains.orders.intervals import Interval, interpret, intervals_for
from operational.domains.orders.models import DiagnosticOrder, DiagnosticReport, LabResult
from operational.domains.orders.rules import rules
from operational.domains.orders.schemas import Results, Value
from operational.domains.orders.service import SLACK, Orders, flush, reason_of, settle
from operational.domains.patients import repository as patients
from operational.domains.patients.models import Patient
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.errors import BusinessError, FieldErrors, NotFound

NUMBER = re.compile(r"(<=|>=|<|>|≤|≥)?\s*([+-]?\d{1,12}(?:[.,]\d{1,6})?)")
COMPARATORS = {"≤": "<=", "≥": ">="}
REMOVED = "removed_before_confirmation"


def field_of(test_code: str) -> str:
    """The name of the form field that holds the value of a test."""
    return f"value_{test_code}"


@dataclass(frozen=True, slots=True)
class Read:
    """A typed value as it is stored."""

    kind: str
    number: Decimal | None = None
    comparator: str | None = None
    text: str | None = None
    interpretation: str | None = None


def read_value(test: LabTest, typed: str, interval: Interval | None) -> Read:
    """A typed value of a test. Raises BadNumber or BadValue at the field of the test."""
    typed = typed.strip()
    allowed = rules().coded.get(test.code)
    if allowed is not None:
        if typed not in allowed:
            raise errors.BadValue(field_of(test.code))
        kind = files.kinds("lab_value").get(typed)
        return Read("coded", text=typed, interpretation={"normal": "N", "abnormal": "A"}.get(kind or ""))
    match = NUMBER.fullmatch(typed)
    if match is None:
        # A laboratory may report in words what it could not measure; only a test without a unit is given so.
        if test.unit is not None or not typed or typed[0].isdigit():
            raise errors.BadNumber(field_of(test.code))
        return Read("text", text=typed)
    comparator = COMPARATORS.get(match[1], match[1]) if match[1] else None
    number = Decimal(match[2].replace(",", "."))
    return Read("numeric", number, comparator, None, interpret(number, comparator, interval))


class ManualResults:
    """The use cases of results for one session."""

    def __init__(self, session: Session, clock: Clock, zone: ZoneInfo) -> None:
        self.session = session
        self.clock = clock
        self.zone = zone
        self.orders = Orders(session, clock, zone)

    def write(self, order_id: int, wanted: Results, report_id: int | None = None) -> DiagnosticReport:
        """Write values of an order as a new preliminary report, or over the given preliminary one.

        A value left empty is taken out. With ``confirm`` the report is final at once. Raises a BusinessError, or
        FieldErrors with one refusal per test.
        """
        order = self._open_order(order_id)
        report = self._preliminary(order, report_id)
        now = self.clock.now()
        patient = self._person(order.patient_id)
        collected = self._collected(wanted.collected_at, patient, order, now)
        others = {
            row.test_code
            for row, _ in repository.results(
                self.session, [r.id for r in repository.reports(self.session, order.id) if r.id != report_id]
            )
        }
        filled = [value for value in wanted.values if value.value.strip()]
        read = self._read(order, patient, collected or now, filled, others)
        if not read and not (wanted.conclusion or "").strip():
            raise errors.NoValues()
        if report is None:
            report = DiagnosticReport(
                owner_organisation_id=order.performing_organisation_id
                if order.performing_organisation_id in scope_of(self.session).organisation_ids
                else order.owner_organisation_id,
                patient_id=order.patient_id, order_id=order.id, category=order.category, source="manual",
                status="preliminary", issued_at=now, practitioner_id=scope_of(self.session).practitioner_id,
            )  # fmt: skip
            self.session.add(report)
        report.collected_at, report.issued_at = collected, now
        report.conclusion = (wanted.conclusion or "").strip() or None
        flush(self.session)
        self._store(report, read, now)
        if wanted.confirm:
            self._finalise(report, now)
        settle(self.session, order, now)
        audit(
            self.session, "report.confirmed" if wanted.confirm else "report.written",
            object_table="diagnostic_report", object_id=report.id,
        )  # fmt: skip
        return report

    def confirm(self, report_id: int) -> DiagnosticReport:
        """Make a preliminary report final."""
        report = self._report(report_id)
        if report.status != "preliminary":
            raise errors.ReportFinal()
        now = self.clock.now()
        self._finalise(report, now)
        self._settle_order(report, now)
        audit(self.session, "report.confirmed", object_table="diagnostic_report", object_id=report.id)
        return report

    def correct(self, report_id: int, wanted: Results, reason: str) -> DiagnosticReport:
        """Correct a final report with a reason: the rows change and are marked, the feed keeps what stood before.

        Only given values change; an empty one takes the value out.
        """
        report = self._report(report_id)
        if report.status == "preliminary":
            raise errors.ReportNotFinal()
        text = reason_of(self.session, reason)
        now = self.clock.now()
        patient = self._person(report.patient_id)
        order = self.orders.locked(report.order_id) if report.order_id is not None else None
        collected = self._collected(wanted.collected_at, patient, order, now) or report.collected_at
        standing = {row.test_code: row for row, _ in repository.results(self.session, [report.id])}
        filled = [value for value in wanted.values if value.value.strip()]
        emptied = [v.test_code for v in wanted.values if not v.value.strip() and v.test_code in standing]
        read = self._read(order, patient, collected or report.issued_at, filled, frozenset(), also=set(standing))
        changed = [code for code, (new, _, _) in read.items() if not _same(standing.get(code), new)]
        conclusion = (wanted.conclusion or "").strip() or None
        if not changed and not emptied and conclusion == report.conclusion and collected == report.collected_at:
            raise errors.NothingChanged()
        if not read and conclusion is None:
            raise errors.NoValues()
        moved = collected != report.collected_at
        report.status, report.collected_at, report.issued_at = "corrected", collected, now
        report.conclusion = conclusion
        for code in emptied:
            row = standing[code]
            row.voided_at, row.void_reason = now, text
        flush(self.session)
        for code, (new, test, interval) in read.items():
            if code in changed or moved:
                self._put(report, standing.get(code), new, test, interval, "corrected", collected or now)
        flush(self.session)
        self._settle_order(report, now)
        audit(self.session, "report.corrected", object_table="diagnostic_report", object_id=report.id, reason=text)
        return report

    def void(self, report_id: int, reason: str) -> DiagnosticReport:
        """Mark a report and its values as entered in error; the order waits for results again."""
        report = self._report(report_id)
        text = reason_of(self.session, reason)
        now = self.clock.now()
        for row, _ in repository.results(self.session, [report.id]):
            row.voided_at, row.void_reason = now, text
        report.voided_at, report.void_reason = now, text
        flush(self.session)
        self._settle_order(report, now)
        audit(self.session, "report.voided", object_table="diagnostic_report", object_id=report.id, reason=text)
        return report

    def restore(self, report_id: int, reason: str) -> DiagnosticReport:
        """Take a void back, with the values that were voided together with the report."""
        report = self._held(report_id)
        if report.voided_at is None:
            raise NotFound()
        text = reason_of(self.session, reason)
        rows = [row for row, _ in repository.results(self.session, [report.id])]
        if report.order_id is not None:
            others = [other.id for other in repository.reports(self.session, report.order_id)]
            meanwhile = {row.test_code for row, _ in repository.results(self.session, others)}
            if any(row.test_code in meanwhile for row in rows if row.test_code):
                raise errors.TestTwice()
        for row in rows:
            row.voided_at = row.void_reason = None
        report.voided_at = report.void_reason = None
        flush(self.session)
        self._settle_order(report, self.clock.now())
        audit(self.session, "report.restored", object_table="diagnostic_report", object_id=report.id, reason=text)
        return report

    def report(self, key: int) -> DiagnosticReport:
        """A report that the user may see. Raises NotFound."""
        row = repository.report(self.session, key)
        if row is None:
            raise NotFound()
        return row

    # --- inside ----------------------------------------------------------------------------------

    def _open_order(self, order_id: int) -> DiagnosticOrder:
        order = self.orders.locked(order_id)
        if order.status == "cancelled":
            raise errors.OrderCancelled()
        scope = scope_of(self.session).organisation_ids
        if order.owner_organisation_id not in scope and order.performing_organisation_id not in scope:
            raise errors.NotThePerformer()
        return order

    def _report(self, report_id: int) -> DiagnosticReport:
        report = self._held(report_id)
        if report.voided_at is not None:
            raise errors.ReportVoided()
        return report

    def _held(self, report_id: int) -> DiagnosticReport:
        """The report, held until the transaction ends. Who only ordered it sees it and may not change it."""
        self._may_write(self.report(report_id).owner_organisation_id)
        report = repository.report(self.session, report_id, lock=True)
        if report is None:
            raise NotFound()
        return report

    def _may_write(self, owner: int) -> None:
        if owner not in scope_of(self.session).organisation_ids:
            raise errors.NotThePerformer()

    def _preliminary(self, order: DiagnosticOrder, report_id: int | None) -> DiagnosticReport | None:
        if report_id is None:
            return None
        report = self._report(report_id)
        if report.order_id != order.id:
            raise NotFound()
        if report.status != "preliminary":
            raise errors.ReportFinal()
        return report

    def _person(self, key: int) -> Patient:
        patient = patients.get(self.session, key)
        if patient is None:
            raise NotFound("patient_id")
        return patient

    def _collected(
        self, typed: datetime | None, patient: Patient, order: DiagnosticOrder | None, now: datetime
    ) -> datetime | None:
        collected = self.orders.aware(typed)
        if collected is None:
            return None
        if collected > now + SLACK:
            raise errors.CollectedInFuture()
        day = local_date(collected, self.zone)
        earliest = (order.ordered_at if order else now) - timedelta(days=rules().collected_within_days)
        born, died = patient.birth_date, patient.death_date
        # A sample may be taken from a body on the day of death and the day after it.
        if (born and day < born) or (died and day > died + timedelta(days=1)) or collected < earliest:
            raise errors.CollectedOutsideLife()
        return collected

    def _read(
        self,
        order: DiagnosticOrder | None,
        patient: Patient,
        collected: datetime,
        values: Sequence[Value],
        taken: Any,
        *,
        also: set[str | None] | None = None,
    ) -> dict[str, tuple[Read, LabTest, Interval | None]]:
        """The typed values by test. Raises FieldErrors with a refusal per wrong field."""
        codes = [value.test_code for value in values]
        tests = {test.code: test for test in catalogs.lab_tests_by_codes(self.session, codes)}
        ordered = {t.code for t in repository.tests(self.session, [order.id]).get(order.id, [])} if order else set()
        ranges = intervals_for(self.session, patient, codes, local_date(collected, self.zone))
        found: dict[str, tuple[Read, LabTest, Interval | None]] = {}
        wrong: list[BusinessError] = []
        for value in values:
            code = value.test_code
            test = tests.get(code)
            if test is None:
                wrong.append(errors.UnknownTest(field_of(code)))
            elif code not in ordered and code not in (also or ()):
                wrong.append(errors.TestNotOrdered(field_of(code)))
            elif code in found or code in taken:
                wrong.append(errors.TestTwice(field_of(code)))
            else:
                try:
                    found[code] = (read_value(test, value.value, ranges.get(code)), test, ranges.get(code))
                except BusinessError as refusal:
                    wrong.append(refusal)
        if len(wrong) == 1:
            raise wrong[0]
        if wrong:
            raise FieldErrors(wrong)
        return found

    def _store(
        self, report: DiagnosticReport, read: dict[str, tuple[Read, LabTest, Interval | None]], now: datetime
    ) -> None:
        """Make the values of a preliminary report equal to what was typed."""
        standing = {row.test_code: row for row, _ in repository.results(self.session, [report.id])}
        for code, row in standing.items():
            if code not in read:
                row.voided_at, row.void_reason = now, REMOVED
        flush(self.session)
        for code, (new, test, interval) in read.items():
            self._put(report, standing.get(code), new, test, interval, "preliminary", report.collected_at or now)
        flush(self.session)

    def _put(
        self,
        report: DiagnosticReport,
        row: LabResult | None,
        new: Read,
        test: LabTest,
        interval: Interval | None,
        status: str,
        observed: datetime,
    ) -> None:
        if row is None:
            row = LabResult(
                owner_organisation_id=report.owner_organisation_id, report_id=report.id,
                patient_id=report.patient_id, test_code=test.code,
            )  # fmt: skip
            self.session.add(row)
        row.value_kind, row.value_number, row.comparator = new.kind, new.number, new.comparator
        row.value_text, row.interpretation = new.text, new.interpretation
        row.unit = test.unit if new.kind == "numeric" else None
        row.reference_low = interval.low if interval else None
        row.reference_high = interval.high if interval else None
        row.status, row.observed_at = status, observed

    def _finalise(self, report: DiagnosticReport, now: datetime) -> None:
        report.status, report.issued_at = "final", now
        report.practitioner_id = scope_of(self.session).practitioner_id or report.practitioner_id
        for row, _ in repository.results(self.session, [report.id]):
            row.status = "final"
        flush(self.session)

    def _settle_order(self, report: DiagnosticReport, now: datetime) -> None:
        if report.order_id is not None:
            settle(self.session, self.orders.locked(report.order_id), now)


def _same(row: LabResult | None, new: Read) -> bool:
    if row is None:
        return False
    return (row.value_kind, row.value_number, row.comparator, row.value_text) == (
        new.kind, new.number, new.comparator, new.text,
    )  # fmt: skip
