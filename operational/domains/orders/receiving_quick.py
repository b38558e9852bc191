"""Laboratory messages that need no judgement: many in one transaction and in two round trips to the store.

Such a message is new, names one order or one person of the region, and each of its reports is new and has the
laboratory's own number. Every other one (a later edition, a withdrawal, a person unknown or in doubt) is left to
``receiving.record_report``, which decides all cases and gives the same rows for these.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from kmis.clock import Clock
from kmis.iin import is_valid
from operational.domains.orders.receiving_results import TestCodes, columns_of, merged, number_of
from operational.domains.orders.receiving_schemas import (
    KnownDevice,
    LabMessage,
    LabReport,
    Match,
    Outcome,
    Received,
    lock_keys,
    stated,
)
from operational.kit.access import Scope
from operational.kit.db import in_one_go

New = tuple[Received, LabMessage]

LOCK = "select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest(%(keys)s::text[]) as k (key)"
KNOWN = (
    "select raw_sha256 from device_message where raw_sha256 = any (%(raws)s) and device_id = %(device)s"
    " union all select filler_number from diagnostic_report where owner_organisation_id = %(organisation)s"
    " and filler_number = any (%(fillers)s) and voided_at is null"
)
ORDERS = (
    "select accession_number, id, patient_id, status from diagnostic_order"
    " where accession_number = any (%(numbers)s) and category = 'laboratory'"
    " and (owner_organisation_id = %(organisation)s or performing_organisation_id = %(organisation)s)"
    " order by id for update"
)
WITHOUT_RESULT = (
    "select t.order_id, t.test_code from diagnostic_order as o join order_test as t on t.order_id = o.id"
    " where o.accession_number = any (%(numbers)s) and not exists (select from diagnostic_report as r"
    " join lab_result as v on v.report_id = r.id where r.order_id = t.order_id and r.voided_at is null"
    " and v.voided_at is null and v.status <> 'preliminary' and v.test_code = t.test_code)"
)
PERSONS = "select k.iin, f.id from unnest(%(iins)s::text[]) as k (iin) cross join lateral kmis_find_person(k.iin) as f"
TESTS = (
    "select 'device', device_code, test_code from device_test_code"
    " where device_id = %(device)s and device_code = any (%(codes)s)"
    " union all select 'loinc', loinc, code from lab_test where loinc = any (%(loincs)s) and active"
    " union all select 'code', code, code from lab_test where code = any (%(codes)s)"
)
MESSAGE = {
    "control_id": "text", "received_at": "timestamptz", "raw_path": "text", "raw_bytes": "bigint", "raw_sha256": "text",
    "stated": "jsonb", "patient_id": "bigint", "order_id": "bigint", "matched_by": "text",
}  # fmt: skip
REPORT = {
    "patient_id": "bigint", "order_id": "bigint", "filler_number": "text", "status": "text",
    "collected_at": "timestamptz", "issued_at": "timestamptz", "conclusion": "text",
}  # fmt: skip
VALUE = {
    "test_code": "text", "device_code": "text", "device_name": "text", "value_kind": "text", "value_number": "numeric",
    "comparator": "text", "value_text": "text", "unit": "text", "reference_low": "numeric", "reference_high": "numeric",
    "interpretation": "text", "status": "text", "observed_at": "timestamptz",
}  # fmt: skip


def _rows(name: str, columns: dict[str, str], **further: str) -> str:
    typed = ", ".join(f"{column} {kind}" for column, kind in (columns | further).items())
    return f"jsonb_to_recordset(%({name})s) as i ({typed})"


def _of(columns: dict[str, str]) -> str:
    return ", ".join(f"i.{column}" for column in columns)


WRITE = (
    "with message as (insert into device_message"
    f" (owner_organisation_id, device_id, protocol, status, {', '.join(MESSAGE)})"
    f" select %(organisation)s, %(device)s, 'hl7v2', 'matched', {_of(MESSAGE)} from {_rows('messages', MESSAGE)}"
    " returning id, raw_sha256),"
    " report as (insert into diagnostic_report"
    f" (owner_organisation_id, category, source, device_message_id, {', '.join(REPORT)})"
    f" select %(organisation)s, 'laboratory', 'device', message.id, {_of(REPORT)}"
    f" from {_rows('reports', REPORT, raw_sha256='text', place='int')} join message using (raw_sha256) order by place"
    " returning id, patient_id, filler_number, device_message_id),"
    " value as (insert into lab_result"
    f" (owner_organisation_id, report_id, patient_id, {', '.join(VALUE)})"
    f" select %(organisation)s, report.id, report.patient_id, {_of(VALUE)}"
    f" from {_rows('values', VALUE, filler_number='text', place='int')} join report using (filler_number)"
    " order by place)"
    " select message.raw_sha256, message.id, array_agg(report.id order by report.id)"
    " from message join report on report.device_message_id = message.id group by 1, 2"
)
UPDATE_ORDERS = (
    "update diagnostic_order as o set status = i.status, completed_at = i.completed_at"
    " from jsonb_to_recordset(%(orders)s) as i (id bigint, status text, completed_at timestamptz) where o.id = i.id"
)


@dataclass(frozen=True, slots=True)
class _Order:
    id: int
    patient_id: int
    status: str
    open_tests: set[str]


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the store holds already of the things that a batch names."""

    known: set[str]
    orders: dict[str, _Order]
    persons: dict[str, int]
    tests: TestCodes


@dataclass(slots=True)
class _Plan:
    """The rows to write, and what they touch: two messages of one batch may not touch the same."""

    device: KnownDevice
    at: datetime
    messages: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    touched: set[object] = field(default_factory=set)

    def take(self, received: Received, message: LabMessage, standing: _Standing) -> bool:
        """Plan a message's rows; False when it needs judgement."""
        match, order = _match(message, standing)
        fillers = [number_of(self.device.code, report) for report in message.reports]
        touched: set[object] = {received.raw_sha256, *fillers, *((order.id,) if order else ())}
        plain = all(number is not None and number not in standing.known for number in fillers)
        # A number that stands twice in one message is an edition of the first, which the general way knows.
        plain = plain and len(set(fillers)) == len(fillers)
        if match is None or not plain or received.raw_sha256 in standing.known or touched & self.touched:
            return False
        reports, values = [], []
        for number, report in zip(fillers, message.reports, strict=True):
            rows = _values(report, number, standing.tests)
            if rows is None:
                return False
            values += rows
            reports.append({
                "raw_sha256": received.raw_sha256, "patient_id": match.patient_id, "order_id": match.order_id,
                "filler_number": number, "status": report.status, "collected_at": report.collected_at,
                "issued_at": report.issued_at, "conclusion": report.conclusion,
            })  # fmt: skip
        self.touched |= touched
        self.reports += reports
        self.values += values
        self.messages.append({
            "control_id": message.control_id, "received_at": received.received_at, "raw_path": received.raw_path,
            "raw_bytes": received.raw_bytes, "raw_sha256": received.raw_sha256, "stated": stated(message),
            "patient_id": match.patient_id, "order_id": match.order_id, "matched_by": match.by,
        })  # fmt: skip
        if order is not None:
            self._move(order, message, values)
        return True

    def _move(self, order: _Order, message: LabMessage, values: list[dict[str, Any]]) -> None:
        """What the reports make of their order, as ``receiving_matching`` has it."""
        if order.status not in ("active", "in_progress"):
            return
        final = all(report.status != "preliminary" for report in message.reports)
        got = {row["test_code"] for row in values if row["status"] != "preliminary"}
        done = final and not order.open_tests - got
        status = "completed" if done else "in_progress"
        if status != order.status:
            self.orders.append({"id": order.id, "status": status, "completed_at": self.at if done else None})


def record_new(
    bind: Engine, scope: Scope, clock: Clock, device: KnownDevice, batch: Sequence[New]
) -> list[Outcome | None]:
    """Record in one transaction those messages of a device that need no judgement; None for each of the others."""
    plan = _Plan(device, clock.now())
    with in_one_go(bind, scope) as connection:
        asked = _asked(device, batch)
        connection.execute(LOCK, asked)
        known, orders, without, persons, tests = (
            connection.execute(query, asked) for query in (KNOWN, ORDERS, WITHOUT_RESULT, PERSONS, TESTS)
        )
        open_tests: dict[int, set[str]] = {}
        codes: dict[str, dict[str, str]] = {"device": {}, "loinc": {}, "code": {}}
        held = {row[0] for row in known.fetchall()}
        found = orders.fetchall()
        for order_id, test in without.fetchall():
            open_tests.setdefault(order_id, set()).add(test)
        known_persons = {row[0]: row[1] for row in persons.fetchall()}
        for kind, code, test in sorted(tests.fetchall(), reverse=True):
            codes[kind][code] = test
        standing = _Standing(
            held,
            {row[0]: _Order(row[1], row[2], row[3], open_tests.get(row[1], set())) for row in found},
            known_persons,
            TestCodes(codes["device"], codes["loinc"], codes["code"]),
        )
        taken = [plan.take(received, message, standing) for received, message in batch]
        if not plan.messages:
            return [None] * len(batch)
        values = {"organisation": device.organisation_id, "device": device.id}
        lists = {name: _json(getattr(plan, name)) for name in ("messages", "reports", "values", "orders")}
        written = connection.execute(WRITE, values | lists)
        if plan.orders:
            connection.execute(UPDATE_ORDERS, lists)
    rows = {row[0]: row for row in written.fetchall()}
    outcomes: list[Outcome | None] = []
    for (received, _), done in zip(batch, taken, strict=True):
        row = rows[received.raw_sha256] if done else None
        outcomes.append(Outcome(row[1], "matched", report_ids=tuple(row[2])) if row else None)
    return outcomes


def _asked(device: KnownDevice, batch: Sequence[New]) -> dict[str, Any]:
    reports = [report for _, message in batch for report in message.reports]
    values = [value for report in reports for value in report.values]
    codes = {value.device_code for value in values if value.device_code}
    keys: set[str] = set()
    for received, message in batch:
        keys |= lock_keys(received, message)
    return {
        "organisation": device.organisation_id, "device": device.id, "keys": sorted(keys),
        "raws": [received.raw_sha256 for received, _ in batch],
        "fillers": [number_of(device.code, report) for report in reports if report.filler_number],
        "numbers": sorted({number for report in reports for number in report.accession_numbers}),
        "iins": sorted({m.person.iin for _, m in batch if m.person.iin and is_valid(m.person.iin)}),
        "codes": sorted(codes), "loincs": sorted(codes | {value.loinc for value in values if value.loinc}),
    }  # fmt: skip


def _match(message: LabMessage, standing: _Standing) -> tuple[Match | None, _Order | None]:
    """The person where there is no doubt: one order, whose person is the stated one; or no order and an IIN."""
    numbers = {number for report in message.reports for number in report.accession_numbers}
    orders = [standing.orders[number] for number in numbers if number in standing.orders]
    person = standing.persons.get(message.person.iin or "")
    if len(orders) > 1 or (orders and person not in (None, orders[0].patient_id)):
        return None, None
    if orders:
        return Match(orders[0].patient_id, orders[0].id, "accession"), orders[0]
    return (Match(person, None, "iin") if person is not None else None), None


def _values(report: LabReport, number: str | None, tests: TestCodes) -> list[dict[str, Any]] | None:
    """The rows of a new report; None when it has none, is withdrawn, or two of its values are of one test."""
    values = [value for value in merged(report.values) if not value.withdrawn]
    mapped = [tests.of(value) for value in values]
    several = len({test for test in mapped if test}) < sum(1 for test in mapped if test)
    if report.withdrawn or several or not (values or report.conclusion):
        return None
    return [
        {"filler_number": number, "test_code": test, "device_code": value.device_code, "status": value.status}
        | columns_of(value, report)
        for value, test in zip(values, mapped, strict=True)
    ]


def _json(rows: list[dict[str, Any]]) -> str:
    """The rows with their places: they are written in the order in which the laboratory wrote them."""
    placed = [row | {"place": place} for place, row in enumerate(rows)]
    return json.dumps(placed, default=str, ensure_ascii=False)
