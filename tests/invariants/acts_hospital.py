"""Random acts of a hospital: presentations, stays and their parts, late entries, corrections, voids, reopening."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import LiteralString

from tests.invariants.acting import Connection, insert, pick

OPEN: LiteralString = (
    "select id, patient_id, owner_organisation_id, admitted_at from hospital_stay"
    " where discharged_at is null and voided_at is null and admitted_at < now() - interval '1 hour' order by id"
)
LEFT: LiteralString = (
    "select id, patient_id, owner_organisation_id, admitted_at, discharged_at from hospital_stay"
    " where discharged_at > admitted_at + interval '12 hours' and voided_at is null order by id"
)
PARTS = ("stay_diagnosis", "ward_movement", "vital_sign", "stay_operation", "transfusion")


def present(connection: Connection, rng: random.Random) -> None:
    """Somebody comes to an admission department and waits."""
    door = pick(connection, rng, "select id, organisation_id from department where kind = 'admission' order by id")
    person = pick(
        connection, rng,
        "select p.id from patient as p where p.voided_at is null and not exists (select from death as d"
        " where d.patient_id = p.id and d.voided_at is null) and not exists (select from hospital_presentation as h"
        " where h.patient_id = p.id and h.decision = 'waiting') order by p.id",
    )  # fmt: skip
    assert door is not None and person is not None
    connection.execute(
        "insert into hospital_presentation (owner_organisation_id, patient_id, department_id, arrived_at,"
        " arrival_channel, triage_zone) values (%s, %s, %s, now() - %s, 'self', %s)",
        (door[1], person[0], door[0], timedelta(minutes=rng.randint(5, 900)), rng.choice(("red", "yellow", "green"))),
    )


def decide(connection: Connection, rng: random.Random) -> None:
    """Who waits is admitted, refused, sent on, or leaves."""
    row = pick(
        connection, rng,
        "select id, patient_id, owner_organisation_id, arrived_at from hospital_presentation"
        " where decision = 'waiting' and voided_at is null order by id",
    )  # fmt: skip
    if row is None:
        return
    decision = rng.choice(("admitted", "admitted", "refused", "transferred", "left"))
    busy = connection.execute(
        "select from hospital_stay where patient_id = %s and voided_at is null"
        " and (discharged_at is null or discharged_at > %s)", (row[1], row[3]),
    ).fetchone()  # fmt: skip
    if decision == "admitted" and busy is not None:
        decision = "refused"
    target = pick(connection, rng, "select id from organisation where kind = 'hospital' order by id")
    assert target is not None
    connection.execute(
        "update hospital_presentation set decision = %s, decided_at = arrived_at + interval '5 minutes',"
        " refusal_reason = %s, target_organisation_id = %s, icd10_code = 'I20.0' where id = %s",
        (decision, "no_indication" if decision == "refused" else None,
         target[0] if decision == "transferred" else None, row[0]),
    )  # fmt: skip
    if decision == "admitted":
        _admit(connection, rng, row[0])


def _admit(connection: Connection, rng: random.Random, presentation: int) -> None:
    stay = insert(
        connection,
        "insert into hospital_stay (owner_organisation_id, patient_id, presentation_id, admission_type,"
        " arrival_channel, financing_source, practitioner_id, admitted_at) select h.owner_organisation_id,"
        " h.patient_id, h.id, h.admission_type, h.arrival_channel, 'gobmp', (select min(practitioner_id)"
        " from practitioner_role where organisation_id = h.owner_organisation_id), h.decided_at"
        " from hospital_presentation as h where h.id = %s returning id",
        presentation,
    )
    connection.execute(
        "insert into stay_diagnosis (owner_organisation_id, stay_id, patient_id, phase, rank, icd10_code,"
        " established_at) select owner_organisation_id, id, patient_id, 'admission', 'main', %s, admitted_at"
        " from hospital_stay where id = %s",
        (rng.choice(("I20.0", "I63.9", "J18.9", "K35.8")), stay),
    )
    _put(connection, rng, stay, "admitted_at")


def _put(connection: Connection, rng: random.Random, stay: int, column: LiteralString) -> None:
    """A part of the stay in some department with beds; the bed itself is not named."""
    place = pick(
        connection, rng,
        "select b.department_id, b.bed_profile from bed_stock as b join hospital_stay as s"
        " on s.owner_organisation_id = b.organisation_id where s.id = %s and b.hospital_kind = s.hospital_kind"
        " order by b.id", stay,
    )  # fmt: skip
    assert place is not None
    since: LiteralString = "admitted_at" if column == "admitted_at" else "now() - interval '1 minute'"
    connection.execute(
        "insert into ward_movement (owner_organisation_id, stay_id, patient_id, department_id, bed_profile,"
        " started_at) select owner_organisation_id, id, patient_id, %s, %s, "
        + since
        + " from hospital_stay where id = %s",
        (*place, stay),
    )


def move(connection: Connection, rng: random.Random) -> None:
    """Somebody goes to another department."""
    row = pick(
        connection, rng,
        "select m.id, m.stay_id from ward_movement as m join hospital_stay as s on s.id = m.stay_id"
        " where m.ended_at is null and m.voided_at is null and s.discharged_at is null and s.voided_at is null"
        " and m.started_at < now() - interval '5 minutes' order by m.id",
    )  # fmt: skip
    if row is not None:
        connection.execute("update ward_movement set ended_at = now() - interval '1 minute' where id = %s", (row[0],))
        _put(connection, rng, row[1], "now")


def admit_late(connection: Connection, rng: random.Random) -> None:
    """A stay of the past is entered today, complete."""
    days = rng.randint(20, 300)
    row = pick(
        connection, rng,
        "select p.id, o.id from patient as p, organisation as o where o.code = '2751' and p.birth_date < now() - %s"
        " and not exists (select from hospital_stay as s where s.patient_id = p.id"
        " and s.voided_at is null and tstzrange(s.admitted_at, s.discharged_at) && tstzrange(now() - %s, now() - %s))"
        " and not exists (select from death as d where d.patient_id = p.id and d.voided_at is null) order by p.id",
        timedelta(days=days + 40), timedelta(days=days), timedelta(days=days - 7),
    )  # fmt: skip
    if row is None:
        return
    stay = insert(
        connection,
        "insert into hospital_stay (owner_organisation_id, patient_id, admission_type, arrival_channel,"
        " financing_source, practitioner_id, admitted_at, discharged_at, outcome, treatment_result)"
        " values (%s, %s, 'planned', 'planned_portal', 'osms', (select min(practitioner_id) from practitioner_role"
        " where organisation_id = %s), now() - %s, now() - %s, 'discharged', 'improvement') returning id",
        row[1], row[0], row[1], timedelta(days=days), timedelta(days=days - 6),
    )  # fmt: skip
    connection.execute(
        "insert into stay_diagnosis (owner_organisation_id, stay_id, patient_id, phase, rank, icd10_code,"
        " established_at) select owner_organisation_id, id, patient_id, 'final', 'main', 'I25.1', discharged_at"
        " from hospital_stay where id = %s", (stay,),
    )  # fmt: skip
    connection.execute(
        "insert into ward_movement (owner_organisation_id, stay_id, patient_id, department_id, bed_profile,"
        " started_at, ended_at) select s.owner_organisation_id, s.id, s.patient_id, b.department_id, b.bed_profile,"
        " s.admitted_at, s.discharged_at from hospital_stay as s join bed_stock as b"
        " on b.organisation_id = s.owner_organisation_id and b.bed_profile = 'therapeutic' and b.valid_to is null"
        " where s.id = %s", (stay,),
    )  # fmt: skip


def operate(connection: Connection, rng: random.Random) -> None:
    """An operation within a stay, of today or written later."""
    row = pick(connection, rng, LEFT if rng.random() < 0.6 else OPEN)
    if row is not None:
        connection.execute(
            "insert into stay_operation (owner_organisation_id, stay_id, patient_id, operation_code, started_at,"
            " ended_at, surgeon_id, urgency, anaesthesia) select owner_organisation_id, id, patient_id, %s,"
            " admitted_at + interval '10 minutes', admitted_at + interval '40 minutes', practitioner_id, 'urgent',"
            " 'general' from hospital_stay where id = %s",
            (rng.choice(("OP06-01", "OP05-02", "OP05-08")), row[0]),
        )


def transfuse(connection: Connection, rng: random.Random) -> None:
    """A transfusion within a stay, or the void of one."""
    if rng.random() < 0.3:
        given = pick(connection, rng, "select id from transfusion where voided_at is null order by id")
        if given is not None:
            connection.execute("update transfusion set voided_at = now(), void_reason = 'test' where id = %s", given)
        return
    row = pick(connection, rng, LEFT if rng.random() < 0.6 else OPEN)
    if row is not None:
        connection.execute(
            "insert into transfusion (owner_organisation_id, stay_id, patient_id, component, volume_ml, blood_group,"
            " rhesus, unit_number, indication, started_at, ended_at, practitioner_id) select owner_organisation_id,"
            " id, patient_id, 'plasma', %s, 'O', '+', 'T-1', 'test', admitted_at + interval '20 minutes',"
            " admitted_at + interval '50 minutes', practitioner_id from hospital_stay where id = %s",
            (rng.randint(100, 600), row[0]),
        )


def measure(connection: Connection, rng: random.Random) -> None:
    """Vital signs of somebody who lies in hospital."""
    row = pick(connection, rng, OPEN)
    if row is not None:
        connection.execute(
            "insert into vital_sign (owner_organisation_id, stay_id, patient_id, measured_at, temperature, pulse,"
            " systolic, diastolic, chills_flag) values (%s, %s, %s, now() - interval '1 minute', 38.2, 90, %s, 80, %s)",
            (row[2], row[0], row[1], rng.randint(110, 190), rng.random() < 0.3),
        )


def discharge(connection: Connection, rng: random.Random) -> None:
    """Somebody leaves with a final diagnosis."""
    row = pick(connection, rng, OPEN)
    if row is None:
        return
    connection.execute(
        "update ward_movement set ended_at = now() where stay_id = %s and ended_at is null and voided_at is null",
        (row[0],),
    )
    connection.execute(
        "insert into stay_diagnosis (owner_organisation_id, stay_id, patient_id, phase, rank, icd10_code,"
        " established_at) select %s, %s, %s, 'final', 'main', %s, now() where not exists (select from stay_diagnosis"
        " where stay_id = %s and phase = 'final' and rank = 'main' and voided_at is null)",
        (row[2], row[0], row[1], rng.choice(("I21.9", "G45.9", "J18.9")), row[0]),
    )
    connection.execute(
        "update hospital_stay set discharged_at = now(), outcome = 'discharged', treatment_result = 'improvement'"
        " where id = %s", (row[0],),
    )  # fmt: skip


def reopen(connection: Connection, rng: random.Random) -> None:
    """A discharge was a mistake: the person still lies there."""
    row = pick(
        connection, rng,
        "select s.id from hospital_stay as s where s.outcome = 'discharged' and s.voided_at is null and not exists"
        " (select from hospital_stay as o where o.patient_id = s.patient_id and o.id <> s.id and o.voided_at is null"
        " and (o.discharged_at is null or o.discharged_at > s.admitted_at)) and not exists (select from death as d"
        " where d.patient_id = s.patient_id and d.voided_at is null) order by s.id",
    )  # fmt: skip
    if row is not None:
        connection.execute(
            "update hospital_stay set discharged_at = null, outcome = null, treatment_result = null,"
            " target_organisation_id = null, signed_at = null, signed_by = null where id = %s", row,
        )  # fmt: skip


def correct_stay(connection: Connection, rng: random.Random) -> None:
    """The main diagnosis, the department, or the time of the discharge was entered wrong."""
    row = pick(connection, rng, LEFT)
    if row is None:
        return
    chance = rng.random()
    if chance < 0.4:
        connection.execute(
            "update stay_diagnosis as d set icd10_code = %(code)s where stay_id = %(stay)s and rank = 'main'"
            " and voided_at is null and not exists (select from stay_diagnosis as o where o.stay_id = d.stay_id"
            " and o.phase = d.phase and o.icd10_code = %(code)s and o.voided_at is null)",
            {"code": rng.choice(("I21.9", "I63.9", "G45.9", "K35.8")), "stay": row[0]},
        )
    elif chance < 0.7:
        place = pick(
            connection, rng, "select department_id, bed_profile from bed_stock where organisation_id = %s order by id",
            row[2],
        )  # fmt: skip
        if place is not None:
            connection.execute(
                "update ward_movement set department_id = %s, bed_profile = %s, bed = null where stay_id = %s",
                (*place, row[0]),
            )
    else:
        connection.execute(
            "update hospital_stay as s set discharged_at = discharged_at + interval '2 hours' where s.id = %s"
            " and not exists (select from hospital_stay as o where o.patient_id = s.patient_id and o.id <> s.id"
            " and o.voided_at is null and o.admitted_at between s.discharged_at and s.discharged_at"
            " + interval '2 hours') and s.outcome <> 'died'", (row[0],),
        )  # fmt: skip


def void_or_restore_stay(connection: Connection, rng: random.Random) -> None:
    """A stay was somebody else's: it is voided with its parts; or its void is taken back."""
    voided = pick(
        connection, rng,
        "select s.id, s.voided_at from hospital_stay as s where s.voided_at is not null and s.void_reason = 'test'"
        " and not exists (select from hospital_stay as o where o.patient_id = s.patient_id and o.voided_at is null"
        " and tstzrange(o.admitted_at, o.discharged_at) && tstzrange(s.admitted_at, s.discharged_at))"
        " and not exists (select from death as d where d.patient_id = s.patient_id and d.voided_at is null)"
        " and not exists (select from hospital_stay as o where o.presentation_id = s.presentation_id"
        " and o.voided_at is null) order by s.id",
    )  # fmt: skip
    if voided is not None and rng.random() < 0.5:
        connection.execute("update hospital_stay set voided_at = null, void_reason = null where id = %s", voided[:1])
        for table in PARTS:
            connection.execute(
                f"update {table} set voided_at = null, void_reason = null"  # names of the module
                " where stay_id = %s and void_reason = 'stay'", voided[:1],
            )  # fmt: skip
        return
    row = pick(connection, rng, LEFT)
    if row is None:
        return
    for table in PARTS:
        connection.execute(
            f"update {table} set voided_at = now(), void_reason = 'stay'"  # names of the module
            " where stay_id = %s and voided_at is null", (row[0],),
        )  # fmt: skip
    connection.execute("update hospital_stay set voided_at = now(), void_reason = 'test' where id = %s", (row[0],))


HOSPITAL_ACTS = (
    present, present, decide, decide, move, admit_late, operate, transfuse, measure, discharge, reopen, correct_stay,
    void_or_restore_stay,
)  # fmt: skip
