"""Random acts of maternity care: registration, visits, take-over, births, ends, corrections."""

from __future__ import annotations

import random
from datetime import timedelta

from tests.invariants.acting import Connection, insert, pick

OPEN = (
    "select p.id, p.patient_id, p.last_menstrual_date, p.registered_on from pregnancy as p"
    " where p.ended_on is null and p.voided_at is null and not exists (select from death as d"
    " where d.patient_id = p.patient_id and d.voided_at is null) order by p.id"
)


def register(connection: Connection, rng: random.Random) -> None:
    """A pregnancy is registered where none is open."""
    woman = pick(
        connection, rng,
        "select p.id, a.organisation_id from patient as p join attachment as a on a.patient_id = p.id"
        " and a.valid_to is null where p.sex = 'F' and p.birth_date between now() - interval '42 years'"
        " and now() - interval '18 years' and not exists (select from pregnancy as g where g.patient_id = p.id"
        " and g.ended_on is null and g.voided_at is null) and not exists (select from death as d"
        " where d.patient_id = p.id and d.voided_at is null) order by p.id",
    )  # fmt: skip
    if woman is None:
        return
    weeks = rng.randint(7, 30)
    key = insert(
        connection,
        "insert into pregnancy (owner_organisation_id, patient_id, registered_on, last_menstrual_date,"
        " expected_delivery_date, gravida, para, risk_group) values (%s, %s, current_date, current_date - %s,"
        " current_date - %s + 280, 2, 1, %s) returning id",
        woman[1], woman[0], weeks * 7, weeks * 7, rng.choice(("low", "high")),
    )  # fmt: skip
    connection.execute(
        "insert into pregnancy_care (owner_organisation_id, pregnancy_id, patient_id, valid_from)"
        " values (%s, %s, %s, current_date)", (woman[1], key, woman[0]),
    )  # fmt: skip
    for number, week in enumerate((weeks + 4, weeks + 8), 2):
        connection.execute(
            "insert into planned_pregnancy_visit (owner_organisation_id, pregnancy_id, patient_id, visit_no, due_from,"
            " due_to) values (%s, %s, %s, %s, current_date - %s + %s, current_date - %s + %s)",
            (woman[1], key, woman[0], number, weeks * 7, week * 7, weeks * 7, week * 7 + 14),
        )
    connection.execute(
        "insert into pregnancy_risk_factor (owner_organisation_id, pregnancy_id, patient_id, factor_code, found_on)"
        " values (%s, %s, %s, 'uterine_scar', current_date)", (woman[1], key, woman[0]),
    )  # fmt: skip


def visit(connection: Connection, rng: random.Random) -> None:
    """A visit beside the plan or of the plan, today or entered late; or the void of one."""
    if rng.random() < 0.2:
        held = pick(connection, rng, "select id from pregnancy_visit where voided_at is null order by id")
        if held is not None:
            connection.execute("update pregnancy_visit set voided_at = now(), void_reason = 'test' where id = %s", held)
        return
    row = pick(connection, rng, OPEN)
    if row is None:
        return
    planned = pick(
        connection, rng,
        "select visit_no from planned_pregnancy_visit as p where pregnancy_id = %s and voided_at is null and not exists"
        " (select from pregnancy_visit as v where v.pregnancy_id = p.pregnancy_id and v.visit_no = p.visit_no"
        " and v.voided_at is null) order by visit_no", row[0],
    )  # fmt: skip
    connection.execute(
        "insert into pregnancy_visit (owner_organisation_id, pregnancy_id, patient_id, visit_no, visited_at,"
        " practitioner_id, gestation_days, systolic, diastolic) select c.owner_organisation_id, %s, %s, %s,"
        " greatest(now() - %s, greatest(%s::date, c.valid_from) + interval '9 hours'),"
        " (select min(practitioner_id) from practitioner_role"
        " where organisation_id = c.owner_organisation_id), least(greatest(current_date - %s::date, 0), 320), %s, 70"
        " from pregnancy_care as c where c.pregnancy_id = %s and c.valid_to is null",
        (row[0], row[1], planned[0] if planned and rng.random() < 0.7 else None,
         timedelta(days=rng.randint(0, 20)), row[3], row[2], rng.randint(100, 170), row[0]),
    )  # fmt: skip


def take_over(connection: Connection, rng: random.Random) -> None:
    """Another organisation leads the pregnancy from today on."""
    row = pick(
        connection, rng,
        "select c.id, c.pregnancy_id, c.patient_id, c.owner_organisation_id from pregnancy_care as c join pregnancy"
        " as p on p.id = c.pregnancy_id where c.valid_to is null and p.ended_on is null and p.voided_at is null"
        " and c.valid_from < current_date order by c.id",
    )  # fmt: skip
    if row is None:
        return
    other = pick(
        connection, rng,
        "select id from organisation where kind in ('polyclinic', 'rural') and id <> %s order by id", row[3],
    )  # fmt: skip
    assert other is not None
    connection.execute("update pregnancy_care set valid_to = current_date where id = %s", (row[0],))
    connection.execute(
        "insert into pregnancy_care (owner_organisation_id, pregnancy_id, patient_id, valid_from, reason)"
        " values (%s, %s, %s, current_date, 'test')", (other[0], row[1], row[2]),
    )  # fmt: skip


def give_birth(connection: Connection, rng: random.Random) -> None:
    """A late pregnancy ends with a birth and a newborn's record."""
    row = pick(
        connection, rng,
        "select p.id, p.patient_id, d.id, d.organisation_id, p.last_menstrual_date from pregnancy as p,"
        " department as d where p.ended_on is null and p.voided_at is null"
        " and p.last_menstrual_date between current_date - 300 and current_date - 160 and d.kind = 'maternity'"
        " and not exists (select from birth as b where b.patient_id = p.patient_id and b.delivery_date = current_date)"
        " order by p.id, d.id",
    )  # fmt: skip
    if row is None:
        return
    child = insert(
        connection,
        "insert into patient (owner_organisation_id, surname, given_name, name_key, sort_key, birth_date, sex,"
        " identity_kind, mother_id, birth_order) select %s, m.surname, 'Бала', m.name_key, m.sort_key, current_date,"
        " %s, 'newborn', m.id, 1 from patient as m where m.id = %s returning id",
        row[3], rng.choice("MF"), row[1],
    )  # fmt: skip
    connection.execute(
        "insert into birth (owner_organisation_id, patient_id, pregnancy_id, child_patient_id, born_at,"
        " delivery_date, department_id, vital_status, sex, delivery_mode, gestation_weeks, weight_g) values (%s, %s,"
        " %s, %s, now(), current_date, %s, 'live', 'F', 'vaginal', least(greatest((current_date - %s) / 7, 22), 43),"
        " %s)", (row[3], row[1], row[0], child, row[2], row[4], rng.randint(1500, 4500)),
    )  # fmt: skip
    connection.execute("update pregnancy set ended_on = current_date, outcome = 'birth' where id = %s", (row[0],))


def end_otherwise(connection: Connection, rng: random.Random) -> None:
    """A pregnancy ends without a birth; an end is taken back where no other pregnancy is open."""
    ended = pick(
        connection, rng,
        "select p.id from pregnancy as p where p.outcome = 'miscarriage' and p.voided_at is null and not exists"
        " (select from pregnancy as o where o.patient_id = p.patient_id and o.ended_on is null and o.voided_at is null)"
        " order by p.id",
    )  # fmt: skip
    if ended is not None and rng.random() < 0.4:
        connection.execute("update pregnancy set ended_on = null, outcome = null where id = %s", ended)
        return
    row = pick(connection, rng, OPEN)
    if row is not None:
        connection.execute(
            "update pregnancy set ended_on = current_date, outcome = 'miscarriage' where id = %s", (row[0],)
        )


def correct_pregnancy(connection: Connection, rng: random.Random) -> None:
    """The term was wrong, a birth's weight was wrong, a birth or a pregnancy was entered by mistake."""
    chance = rng.random()
    if chance < 0.4:
        row = pick(connection, rng, OPEN)
        if row is not None:
            connection.execute(
                "update pregnancy set last_menstrual_date = last_menstrual_date - 7,"
                " expected_delivery_date = expected_delivery_date - 7 where id = %s and registered_on"
                " - last_menstrual_date < 300", (row[0],),
            )  # fmt: skip
        return
    birth = pick(
        connection, rng,
        "select b.id from birth as b where b.voided_at is null and not exists (select from pregnancy as p"
        " where p.patient_id = b.patient_id and p.ended_on is null and p.voided_at is null) order by b.id",
    )  # fmt: skip
    if birth is not None and chance < 0.7:
        connection.execute("update birth set weight_g = %s where id = %s", (rng.randint(900, 4800), birth[0]))
    elif birth is not None and chance < 0.8:
        connection.execute("update birth set voided_at = now(), void_reason = 'test' where id = %s", birth)
    else:
        ended = pick(connection, rng, "select id from pregnancy where voided_at is null and ended_on is not null"
                                      " order by id")  # fmt: skip
        if ended is not None:
            connection.execute("update pregnancy set voided_at = now(), void_reason = 'test' where id = %s", ended)


MATERNITY_ACTS = (register, visit, visit, take_over, give_birth, end_otherwise, correct_pregnancy)
