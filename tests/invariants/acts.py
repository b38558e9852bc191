"""Random acts on the operational store, as people do them: visits, corrections, voids, moves, merges.

Those of hospital, maternity, laboratory and home care stand in the modules beside this one.
"""

from __future__ import annotations

import random
from datetime import date, timedelta

from tests.invariants.acting import Connection
from tests.invariants.acts_care import CARE_ACTS
from tests.invariants.acts_hospital import HOSPITAL_ACTS
from tests.invariants.acts_maternity import MATERNITY_ACTS
from tests.invariants.acts_orders import ORDER_ACTS


def _keys(connection: Connection, statement: str) -> list[int]:
    return [int(row[0]) for row in connection.execute(statement)]


def new_visit(connection: Connection, rng: random.Random) -> None:
    """A finished visit with one or two diagnoses, copied in kind from a visit that stands."""
    model = rng.choice(_keys(connection, "select id from encounter where status = 'finished' limit 400"))
    row = connection.execute(
        "insert into encounter (owner_organisation_id, patient_id, practitioner_id, practitioner_role_id,"
        " department_id, visit_reason, visit_kind, financing_source, status, outcome, started_at, ended_at, signed_at)"
        " select owner_organisation_id, patient_id, practitioner_id, practitioner_role_id, department_id, visit_reason,"
        " visit_kind, financing_source, 'finished', outcome, started_at + %s, started_at + %s, now()"
        " from encounter where id = %s returning id, patient_id, owner_organisation_id",
        (timedelta(hours=1), timedelta(hours=1, minutes=10), model),
    ).fetchone()
    assert row is not None
    for rank, code in (("main", "J06.9"), ("comorbid", "I10"))[: rng.randint(1, 2)]:
        connection.execute(
            "insert into condition (owner_organisation_id, encounter_id, patient_id, icd10_code, rank, character)"
            " values (%s, %s, %s, %s, %s, 'acute')",
            (row[2], row[0], row[1], code, rank),
        )


def move_visit(connection: Connection, rng: random.Random) -> None:
    """A visit's time was entered wrong by up to three months."""
    key = rng.choice(_keys(connection, "select id from encounter where appointment_id is null limit 400"))
    connection.execute(
        "update encounter set started_at = started_at - %(by)s, ended_at = ended_at - %(by)s where id = %(key)s",
        {"by": timedelta(days=rng.randint(1, 90)), "key": key},
    )


def hand_over_visit(connection: Connection, rng: random.Random) -> None:
    """A visit was entered under another doctor of the organisation."""
    key = rng.choice(_keys(connection, "select id from encounter where appointment_id is null limit 400"))
    connection.execute(
        "update encounter as e set (practitioner_role_id, practitioner_id) = (select r.id, r.practitioner_id from"
        " practitioner_role as r where r.organisation_id = e.owner_organisation_id order by md5(r.id::text || %s)"
        " limit 1) where id = %s",
        (str(rng.random()), key),
    )


def void_or_restore(connection: Connection, rng: random.Random) -> None:
    """A visit is voided, or its void is taken back."""
    key = rng.choice(
        _keys(
            connection,
            "select e.id from encounter as e where e.outcome is not null and not exists (select from encounter as o"
            " where o.appointment_id = e.appointment_id and o.id <> e.id and o.voided_at is null) limit 400",
        )
    )
    connection.execute(
        "update encounter set (status, voided_at, void_reason) = (select"
        " case when voided_at is null then 'entered_in_error' else 'finished' end,"
        " case when voided_at is null then now() end, case when voided_at is null then 'test' end) where id = %s",
        (key,),
    )


def change_diagnosis(connection: Connection, rng: random.Random) -> None:
    """A diagnosis is corrected, voided or restored."""
    key = rng.choice(_keys(connection, "select id from condition where voided_at is null limit 400"))
    if rng.random() < 0.5:
        code = rng.choice(("E11.9", "J20.9", "S52.5", "I25.1"))
        connection.execute(
            "update condition as c set icd10_code = %s where id = %s and not exists (select from condition as o"
            " where o.encounter_id = c.encounter_id and o.icd10_code = %s and o.voided_at is null)",
            (code, key, code),
        )
    else:
        connection.execute("update condition set voided_at = now(), void_reason = 'test' where id = %s", (key,))


def correct_person(connection: Connection, rng: random.Random) -> None:
    """Birth date and sex were entered wrong."""
    key = rng.choice(_keys(connection, "select id from patient where birth_date is not null limit 300"))
    connection.execute(
        "update patient set birth_date = greatest(birth_date - %s, date '1900-01-01'), sex = %s where id = %s",
        (rng.randint(1, 4000), rng.choice("MF"), key),
    )


def move_person(connection: Connection, rng: random.Random) -> None:
    """A person is attached to another site from some day of the last months on."""
    row = connection.execute(
        "select id, patient_id, owner_organisation_id, valid_from from attachment where valid_to is null"
        " order by id offset %s limit 1", (rng.randint(0, 150),),
    ).fetchone()  # fmt: skip
    site = connection.execute(
        "select id, organisation_id from site order by id offset %s limit 1", (rng.randint(0, 3),)
    ).fetchone()
    if row is None or site is None:
        return
    day = max(row[3] + timedelta(days=1), date.today() - timedelta(days=rng.randint(0, 200)))
    connection.execute("update attachment set valid_to = %s where id = %s", (day, row[0]))
    connection.execute(
        "insert into attachment (owner_organisation_id, patient_id, organisation_id, site_id, valid_from)"
        " values (%s, %s, %s, %s, %s)",
        (row[2], row[1], site[1], site[0], day),
    )


def move_doctor(connection: Connection, rng: random.Random) -> None:
    """A site gets another doctor from some day of the last months on."""
    row = connection.execute(
        "select id, site_id, valid_from from site_assignment where valid_to is null and duty = 'doctor'"
        " order by id offset %s limit 1", (rng.randint(0, 2),),
    ).fetchone()  # fmt: skip
    if row is None:
        return
    day = max(row[2] + timedelta(days=1), date.today() - timedelta(days=rng.randint(0, 200)))
    doctor = rng.choice(_keys(connection, "select distinct practitioner_id from practitioner_role limit 20"))
    connection.execute("update site_assignment set valid_to = %s where id = %s", (day, row[0]))
    connection.execute(
        "insert into site_assignment (site_id, practitioner_id, duty, valid_from) values (%s, %s, 'doctor', %s)",
        (row[1], doctor, day),
    )


def merge_or_separate(connection: Connection, rng: random.Random) -> None:
    """Two records become one person, or a merge is taken back."""
    open_merges = _keys(connection, "select id from patient_merge where separated_at is null")
    if open_merges and rng.random() < 0.4:
        connection.execute(
            "update patient_merge set separated_at = now(), separation_reason = 'test' where id = %s",
            (rng.choice(open_merges),),
        )
        return
    free = _keys(connection, "select id from patient where merged_into_id is null and voided_at is null limit 200")
    source, target = rng.sample(free, 2)
    connection.execute(
        "insert into patient_merge (owner_organisation_id, source_patient_id, target_patient_id, reason)"
        " select owner_organisation_id, id, %s, 'test' from patient where id = %s",
        (target, source),
    )


ACTS = (
    new_visit, move_visit, hand_over_visit, void_or_restore, change_diagnosis, correct_person, move_person, move_doctor,
    merge_or_separate, *HOSPITAL_ACTS, *MATERNITY_ACTS, *ORDER_ACTS, *CARE_ACTS,
)  # fmt: skip
