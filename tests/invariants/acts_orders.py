"""Random acts of laboratory and imaging: orders, reports, corrections, voids, studies that are matched."""

from __future__ import annotations

import random
from datetime import timedelta

from tests.invariants.acting import Connection, insert, pick

LIVING = (
    "select p.id, p.owner_organisation_id from patient as p where p.voided_at is null and not exists"
    " (select from death as d where d.patient_id = p.id and d.voided_at is null) order by p.id limit 300"
)


def order(connection: Connection, rng: random.Random) -> None:
    """A laboratory order with its tests, or an imaging order."""
    person = pick(connection, rng, LIVING)
    assert person is not None
    imaging = rng.random() < 0.3
    key = insert(
        connection,
        "insert into diagnostic_order (owner_organisation_id, patient_id, category, modality, body_part,"
        " performing_organisation_id, ordered_at) values (%s, %s, %s, %s, %s,"
        " (select id from organisation where code = '2751'), now() - %s) returning id",
        person[1], person[0], "imaging" if imaging else "laboratory", "DX" if imaging else None,
        "CHEST" if imaging else None, timedelta(hours=rng.randint(1, 200)),
    )  # fmt: skip
    if not imaging:
        connection.execute(
            "insert into order_test (owner_organisation_id, order_id, patient_id, test_code)"
            " select o.owner_organisation_id, o.id, o.patient_id, t.code from diagnostic_order as o, lab_test as t"
            " where o.id = %s and t.code in ('HGB', 'WBC', 'GLU')", (key,),
        )  # fmt: skip


def report(connection: Connection, rng: random.Random) -> None:
    """An order that waits gets its report with values."""
    row = pick(
        connection, rng,
        "select id, patient_id, performing_organisation_id, ordered_at from diagnostic_order"
        " where category = 'laboratory' and status = 'active' and performing_organisation_id is not null order by id",
    )  # fmt: skip
    if row is None:
        return
    key = insert(
        connection,
        "insert into diagnostic_report (owner_organisation_id, patient_id, order_id, category, source, collected_at,"
        " issued_at) values (%s, %s, %s, 'laboratory', 'manual', %s, greatest(%s, now() - %s)) returning id",
        row[2], row[1], row[0], row[3], row[3], timedelta(hours=rng.randint(0, 20)),
    )  # fmt: skip
    for test in ("HGB", "WBC", "GLU")[: rng.randint(1, 3)]:
        connection.execute(
            "insert into lab_result (owner_organisation_id, report_id, patient_id, test_code, value_kind,"
            " value_number, unit, reference_low, reference_high, interpretation, observed_at)"
            " values (%s, %s, %s, %s, 'numeric', %s, 'x', 4, 10, %s, %s)",
            (row[2], key, row[1], test, rng.randint(1, 200), rng.choice(("L", "N", "H", "HH")), row[3]),
        )
    connection.execute(
        "update diagnostic_order set status = 'completed', completed_at = now() where id = %s", (row[0],)
    )


def correct_report(connection: Connection, rng: random.Random) -> None:
    """A value is corrected, a value or a whole report is taken back or restored."""
    row = pick(connection, rng, "select id, voided_at from diagnostic_report where category = 'laboratory' order by id")
    if row is None:
        return
    if row[1] is not None:
        connection.execute("update lab_result set voided_at = null, void_reason = null where report_id = %s", row[:1])
        connection.execute("update diagnostic_report set voided_at = null, void_reason = null where id = %s", row[:1])
    elif rng.random() < 0.6:
        connection.execute(
            "update lab_result set value_number = value_number + 1, interpretation = 'H', status = 'corrected'"
            " where id = (select min(id) from lab_result where report_id = %s and value_kind = 'numeric'"
            " and voided_at is null)", row[:1],
        )  # fmt: skip
        connection.execute("update diagnostic_report set status = 'corrected' where id = %s", row[:1])
    else:
        void = "voided_at = now(), void_reason = 'test'"
        connection.execute(f"update lab_result set {void} where report_id = %s", row[:1])
        connection.execute(f"update diagnostic_report set {void} where id = %s", row[:1])


def receive_study(connection: Connection, rng: random.Random) -> None:
    """A study comes without a person."""
    connection.execute(
        "insert into imaging_study (owner_organisation_id, study_uid, device_id, modality, body_part, started_at,"
        " received_at, status, series, instances) select d.organisation_id, '2.25.' || %s, d.id, d.modality, 'CHEST',"
        " now() - %s, now(), 'available', 1, 3 from device as d where d.code = 'RG-1'",
        (str(rng.getrandbits(90)), timedelta(hours=rng.randint(1, 100))),
    )


def match_study(connection: Connection, rng: random.Random) -> None:
    """A study finds its person, or is found to be somebody else's."""
    row = pick(connection, rng, "select id, patient_id from imaging_study where voided_at is null order by id")
    person = pick(connection, rng, LIVING)
    if row is None or person is None:
        return
    if row[1] is None:
        connection.execute(
            "update imaging_study set patient_id = %s, matched_at = now(), matched_by = 'hand' where id = %s",
            (person[0], row[0]),
        )
    elif rng.random() < 0.3:
        connection.execute("update imaging_study set voided_at = now(), void_reason = 'test' where id = %s", row[:1])
    else:
        connection.execute(
            "update imaging_study set patient_id = null, order_id = null, matched_at = null, matched_by = null"
            " where id = %s and not exists (select from diagnostic_report as r where r.imaging_study_id = %s)",
            (row[0], row[0]),
        )


ORDER_ACTS = (order, order, report, report, correct_report, receive_study, match_study)
