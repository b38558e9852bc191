"""Random acts of primary care after the hospital: home calls, signal cases, deaths and deaths taken back."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import LiteralString

from tests.invariants.acting import Connection, pick

LAST_EVENT: LiteralString = (
    "select p.id, p.owner_organisation_id, greatest(p.birth_date + interval '2 days', now() - interval '300 days', "
    + ", ".join((
        "(select max(ended_at) from encounter where patient_id = p.id)",
        "(select max(coalesce(decided_at, arrived_at)) from hospital_presentation where patient_id = p.id)",
        "(select max(coalesce(discharged_at, admitted_at)) from hospital_stay where patient_id = p.id)",
        "(select max(coalesce(ended_at, started_at)) from ward_movement where patient_id = p.id)",
        "(select max(coalesce(ended_at, started_at)) from transfusion where patient_id = p.id)",
        "(select max(coalesce(ended_at, started_at)) from stay_operation where patient_id = p.id)",
        "(select max(measured_at) from vital_sign where patient_id = p.id)",
        "(select max(visited_at) from pregnancy_visit where patient_id = p.id)",
    ))
    + ") + interval '1 hour' from patient as p where p.voided_at is null and p.birth_date is not null"
    " and p.death_date is null and not exists (select from death as d where d.patient_id = p.id"
    " and d.voided_at is null) and not exists (select from hospital_stay as s where s.patient_id = p.id"
    " and s.discharged_at is null) and not exists (select from hospital_presentation as h where h.patient_id = p.id"
    " and h.decision = 'waiting') order by p.id limit 200"
)  # fmt: skip
STATES = ("delivered", "seen", "contacted", "visited", "closed")


def call_home(connection: Connection, rng: random.Random) -> None:
    """Somebody is called, is given the call, comes, finds nobody, or the call is cancelled."""
    waiting = pick(
        connection, rng,
        "select id from home_call where status in ('registered', 'assigned') and voided_at is null order by id",
    )  # fmt: skip
    if waiting is not None and rng.random() < 0.6:
        status = rng.choice(("assigned", "done", "not_found", "cancelled"))
        connection.execute(
            "update home_call set status = %(status)s, practitioner_id = (select min(practitioner_id)"
            " from practitioner_role where organisation_id = owner_organisation_id), performed_at = case when"
            " %(status)s in ('done', 'not_found') then greatest(now(), called_at) end, cancel_reason ="
            " case when %(status)s = 'cancelled' then 'test' end where id = %(key)s",
            {"status": status, "key": waiting[0]},
        )
        return
    person = pick(
        connection, rng,
        "select p.id, a.organisation_id, a.site_id from patient as p join attachment as a on a.patient_id = p.id"
        " and a.valid_to is null where not exists (select from death as d where d.patient_id = p.id"
        " and d.voided_at is null) order by p.id limit 200",
    )  # fmt: skip
    if person is not None:
        connection.execute(
            "insert into home_call (owner_organisation_id, patient_id, site_id, kind, source, called_at, due_at,"
            " complaint) values (%s, %s, %s, %s, 'patient', now() - %s, now() + interval '2 hours', 'test')",
            (person[1], person[0], person[2], rng.choice(("call", "active")), timedelta(minutes=rng.randint(1, 3000))),
        )


def void_call(connection: Connection, rng: random.Random) -> None:
    """A call was entered by mistake, or it was not."""
    row = pick(connection, rng, "select id from home_call order by id limit 200")
    if row is not None:
        connection.execute(
            "update home_call set (voided_at, void_reason) = (select case when voided_at is null then now() end,"
            " case when voided_at is null then 'test' end) where id = %s", row,
        )  # fmt: skip


def open_signal(connection: Connection, rng: random.Random) -> None:
    """A discharge opens a case of the organisation of the person's attachment."""
    row = pick(
        connection, rng,
        "select s.id, s.patient_id, s.owner_organisation_id, s.discharged_at, a.organisation_id, a.site_id"
        " from hospital_stay as s join attachment as a on a.patient_id = s.patient_id and a.valid_to is null"
        " where s.discharged_at is not null and s.voided_at is null and not exists (select from signal_case as c"
        " where c.subject = 'hospital_stay' and c.subject_id = s.id) order by s.id",
    )  # fmt: skip
    if row is None:
        return
    connection.execute(
        "insert into signal_case (owner_organisation_id, patient_id, rule_code, rule_version, subject, subject_id,"
        " severity, audience, reason_code, origin_organisation_id, event_at, opened_at, due_at, site_id)"
        " values (%s, %s, %s, 1, 'hospital_stay', %s, 'attention', 'site', 'test', %s, %s, now(),"
        " now() + interval '3 days', %s)",
        (row[4], row[1], rng.choice(("SIG-01", "SIG-02", "SIG-03")), row[0], row[2], row[3], row[5]),
    )


def work_signal(connection: Connection, rng: random.Random) -> None:
    """A case goes on to another state, is taken by somebody, or is opened again."""
    row = pick(connection, rng, "select id, state, patient_id, owner_organisation_id from signal_case order by id")
    if row is None:
        return
    if row[1] == "closed":
        kind = "reopened"
        connection.execute(
            "update signal_case set state = 'opened', closed_at = null, outcome = null, voided_at = null,"
            " void_reason = null where id = %s", row[:1],
        )  # fmt: skip
    else:
        kind = rng.choice(STATES)
        connection.execute(
            "update signal_case set state = %(state)s, seen_at = coalesce(seen_at, now()),"
            " practitioner_id = coalesce(practitioner_id, (select min(practitioner_id) from practitioner_role"
            " where organisation_id = owner_organisation_id)), closed_at = case when %(state)s = 'closed'"
            " then greatest(now(), opened_at) end, outcome = case when %(state)s = 'closed' then 'visited' end"
            " where id = %(key)s",
            {"state": kind, "key": row[0]},
        )
    connection.execute(
        "insert into signal_event (owner_organisation_id, case_id, patient_id, kind) values (%s, %s, %s, %s)",
        (row[3], row[0], row[2], kind),
    )


def die(connection: Connection, rng: random.Random) -> None:
    """A death after all that is known of the person; it stands in the register too."""
    row = pick(connection, rng, LAST_EVENT)
    if row is None:
        return
    place = rng.choice(("home", "street", "hospital"))
    hospital = pick(connection, rng, "select id from organisation where kind = 'hospital' order by id")
    assert hospital is not None
    connection.execute(
        "insert into death (owner_organisation_id, patient_id, died_at, place, hospital_organisation_id,"
        " underlying_icd10, registered_at) values (%s, %s, %s, %s, %s, %s, greatest(now(), %s))",
        (row[1], row[0], row[2], place, hospital[0] if place == "hospital" else None,
         rng.choice(("I21.9", "I25.1", "R54")), row[2]),
    )  # fmt: skip
    connection.execute("update patient set death_date = (%s)::date where id = %s", (row[2], row[0]))


def take_death_back(connection: Connection, rng: random.Random) -> None:
    """A death was registered by mistake, or its cause was."""
    row = pick(connection, rng, "select id, patient_id from death where voided_at is null order by id")
    if row is None:
        return
    if rng.random() < 0.5:
        connection.execute(
            "update death set underlying_icd10 = %s where id = %s", (rng.choice(("I61.9", "C16.9")), row[0])
        )
        return
    connection.execute("update death set voided_at = now(), void_reason = 'test' where id = %s", row[:1])
    connection.execute("update patient set death_date = null where id = %s", row[1:])


CARE_ACTS = (call_home, call_home, void_call, open_signal, work_signal, work_signal, die, take_death_back)
