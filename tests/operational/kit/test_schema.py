"""The catalogue of the database: no table of patient data without its guards, no constraint left to good will."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from alembic import command
from psycopg import errors as refusals

from kmis.settings import Settings
from operational.kit.base import Fed, PatientData
from operational.migrate import alembic_config
from operational.models import Base
from tests.factories import create_condition, create_encounter, create_patient, iin_for, insert

FED = sorted(m.class_.__tablename__ for m in Base.registry.mappers if issubclass(m.class_, Fed))
PATIENT = sorted(m.class_.__tablename__ for m in Base.registry.mappers if issubclass(m.class_, PatientData))
# Patient data that is not an act: what an author types, and which organisations see a person (derived by triggers).
NOT_FED = {"document_draft", "patient_access"}
TRIGGERS = {"kmis_feed_insert", "kmis_feed_update", "kmis_feed_delete", "kmis_feed_truncate", "kmis_keep_key"}
MOMENT = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


@pytest.fixture
def owner(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the owner whose work is rolled back."""
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        yield connection
        connection.rollback()


def test_models_and_migrations_agree(settings: Settings) -> None:
    command.check(alembic_config(settings))


@pytest.mark.parametrize("table", FED)
def test_every_fed_table_has_its_triggers(owner: psycopg.Connection[Any], table: str) -> None:
    rows = owner.execute(
        "select tgname from pg_trigger where tgrelid = %s::regclass and not tgisinternal and tgenabled = 'O'", (table,)
    ).fetchall()
    assert {row[0] for row in rows} >= TRIGGERS


def test_every_table_that_names_a_patient_is_guarded(owner: psycopg.Connection[Any]) -> None:
    rows = owner.execute(
        "select c.relname, c.relrowsecurity from pg_class as c join pg_attribute as a on a.attrelid = c.oid"
        " where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and not c.relispartition"
        " and a.attname in ('patient_id', 'source_patient_id', 'patient_no')"
    ).fetchall()
    assert {row[0] for row in rows} - NOT_FED == set(PATIENT)
    assert all(row[1] for row in rows)


@pytest.mark.parametrize("table", PATIENT)
def test_patient_data_has_an_owner_that_indexes_know(owner: psycopg.Connection[Any], table: str) -> None:
    nullable = owner.execute(
        "select is_nullable from information_schema.columns where table_name = %s"
        " and column_name = 'owner_organisation_id'", (table,),
    ).fetchone()  # fmt: skip
    assert nullable == ("NO",)
    indexes = owner.execute("select indexdef from pg_indexes where tablename = %s", (table,)).fetchall()
    assert any("owner_organisation_id" in row[0] for row in indexes)


def test_the_feed_keeps_old_and_new_image_with_actor_and_reason(
    owner: psycopg.Connection[Any], world: dict[str, int]
) -> None:
    patient = create_patient(owner, world["polyclinic"])
    owner.execute("select set_config('kmis.user_id', %s, true)", (str(world["user"]),))
    owner.execute("select set_config('kmis.reason', 'typing error', true)")
    owner.execute("update patient set given_name = 'Алия' where id = %s", (patient,))
    rows = owner.execute(
        "select operation, actor_id, reason, old_row ->> 'given_name', new_row ->> 'given_name',"
        " xid = pg_current_xact_id() from change_feed where table_name = 'patient' and key = %s order by id",
        (patient,),
    ).fetchall()
    assert rows[0][:3] == ("I", None, None)
    assert rows[1] == ("U", world["user"], "typing error", "Әлия", "Алия", True)


def test_one_statement_of_many_rows_writes_each_row(owner: psycopg.Connection[Any], world: dict[str, int]) -> None:
    keys = [create_patient(owner, world["polyclinic"]) for _ in range(3)]
    owner.execute("update patient set phone = '77010000000' where id = any(%s)", (keys,))
    found = owner.execute(
        "select count(*) from change_feed where table_name = 'patient' and operation = 'U' and key = any(%s)", (keys,)
    ).fetchone()
    assert found == (3,)


def test_keys_and_owners_never_change(owner: psycopg.Connection[Any], world: dict[str, int]) -> None:
    patient = create_patient(owner, world["polyclinic"])
    with pytest.raises(refusals.RestrictViolation), owner.transaction():
        owner.execute("update patient set id = id + 1000000 where id = %s", (patient,))
    with pytest.raises(refusals.RestrictViolation), owner.transaction():
        owner.execute("update patient set owner_organisation_id = %s where id = %s", (world["other"], patient))


def test_nobody_truncates(owner: psycopg.Connection[Any]) -> None:
    with pytest.raises(refusals.InsufficientPrivilege), owner.transaction():
        owner.execute("truncate condition")


def refused(owner: psycopg.Connection[Any], constraint: str, work: Any) -> None:
    """``work`` must break the named constraint."""
    with pytest.raises(psycopg.IntegrityError) as caught, owner.transaction():
        work()
    assert caught.value.diag.constraint_name == constraint


def test_a_wrong_check_digit_is_refused(owner: psycopg.Connection[Any], world: dict[str, int]) -> None:
    good = iin_for(date(1990, 5, 17), "M", 7)
    wrong = good[:-1] + str((int(good[-1]) + 1) % 10)
    refused(owner, "ck_patient_iin", lambda: create_patient(owner, world["polyclinic"], iin=wrong))


def test_a_birth_in_the_future_is_refused(owner: psycopg.Connection[Any], world: dict[str, int]) -> None:
    day = date.today() + timedelta(days=3)
    refused(
        owner, "ck_patient_birth_date_not_future", lambda: create_patient(owner, world["polyclinic"], birth_date=day)
    )


def test_a_visit_outside_the_doctors_organisation_is_refused(
    owner: psycopg.Connection[Any], world: dict[str, int]
) -> None:
    patient = create_patient(owner, world["polyclinic"])
    refused(
        owner, "fk_encounter_role",
        lambda: create_encounter(
            owner, world, patient, MOMENT, owner_organisation_id=world["other"],
            department_id=world["other_department"],
        ),
    )  # fmt: skip


def test_a_visit_that_ends_before_it_begins_is_refused(owner: psycopg.Connection[Any], world: dict[str, int]) -> None:
    patient = create_patient(owner, world["polyclinic"])
    refused(
        owner, "ck_encounter_times",
        lambda: create_encounter(owner, world, patient, MOMENT, ended_at=MOMENT - timedelta(minutes=1)),
    )  # fmt: skip


def test_a_diagnosis_belongs_to_the_visits_patient(owner: psycopg.Connection[Any], world: dict[str, int]) -> None:
    one, two = (create_patient(owner, world["polyclinic"]) for _ in range(2))
    visit = create_encounter(owner, world, one, MOMENT)
    refused(owner, "fk_condition_encounter", lambda: create_condition(owner, world, visit, two, "I10"))


def test_one_main_diagnosis(owner: psycopg.Connection[Any], world: dict[str, int]) -> None:
    patient = create_patient(owner, world["polyclinic"])
    visit = create_encounter(owner, world, patient, MOMENT)
    create_condition(owner, world, visit, patient, "I10")
    refused(owner, "uq_condition_main", lambda: create_condition(owner, world, visit, patient, "J06.9"))


def slot(owner: psycopg.Connection[Any], world: dict[str, int], start: datetime, **values: Any) -> int:
    """A schedule of one slot of 15 minutes."""
    row = {
        "owner_organisation_id": world["polyclinic"], "practitioner_role_id": world["role"],
        "practitioner_id": world["practitioner"], "department_id": world["department"], "room_id": world["room"],
        "starts_at": start, "ends_at": start + timedelta(minutes=15), "slot_minutes": 15,
    }  # fmt: skip
    schedule = insert(owner, "schedule", **(row | values))
    return insert(
        owner, "slot", owner_organisation_id=world["polyclinic"], schedule_id=schedule,
        practitioner_id=world["practitioner"], room_id=world["room"], starts_at=start,
        ends_at=start + timedelta(minutes=15),
    )  # fmt: skip


def test_overlapping_slots_of_a_doctor_are_refused(owner: psycopg.Connection[Any], world: dict[str, int]) -> None:
    slot(owner, world, MOMENT)
    refused(owner, "ex_schedule_practitioner", lambda: slot(owner, world, MOMENT + timedelta(minutes=5)))
    slot(owner, world, MOMENT + timedelta(minutes=15))


def test_a_seat_is_given_once(owner: psycopg.Connection[Any], world: dict[str, int]) -> None:
    key = slot(owner, world, MOMENT)
    row = {
        "owner_organisation_id": world["polyclinic"], "slot_id": key, "slot_capacity": 1,
        "practitioner_id": world["practitioner"], "practitioner_role_id": world["role"],
        "department_id": world["department"], "booking_channel": "registry", "starts_at": MOMENT,
        "ends_at": MOMENT + timedelta(minutes=15),
    }  # fmt: skip
    one, two = (create_patient(owner, world["polyclinic"]) for _ in range(2))
    first = insert(owner, "appointment", patient_id=one, seat=1, **row)
    refused(owner, "uq_appointment_seat", lambda: insert(owner, "appointment", patient_id=two, seat=1, **row))
    refused(
        owner, "ck_appointment_seat_in_capacity",
        lambda: insert(owner, "appointment", patient_id=two, seat=2, **row),
    )  # fmt: skip
    owner.execute(
        "update appointment set status = 'cancelled', cancelled_at = now(), cancel_reason = 'other' where id = %s",
        (first,),
    )
    insert(owner, "appointment", patient_id=two, seat=1, **row)


def test_a_validity_that_ends_before_it_begins_is_refused(
    owner: psycopg.Connection[Any], world: dict[str, int]
) -> None:
    patient = create_patient(owner, world["polyclinic"])
    refused(
        owner, "ck_attachment_validity",
        lambda: insert(
            owner, "attachment", owner_organisation_id=world["polyclinic"], patient_id=patient,
            organisation_id=world["polyclinic"], site_id=world["site"], valid_from=date(2026, 2, 1),
            valid_to=date(2026, 1, 1),
        ),
    )  # fmt: skip


def test_two_attachments_at_once_are_refused(owner: psycopg.Connection[Any], world: dict[str, int]) -> None:
    patient = create_patient(owner, world["polyclinic"])
    row = {
        "owner_organisation_id": world["polyclinic"], "patient_id": patient,
        "organisation_id": world["polyclinic"], "site_id": world["site"],
    }  # fmt: skip
    insert(owner, "attachment", valid_from=date(2026, 1, 1), **row)
    refused(owner, "ex_attachment_period", lambda: insert(owner, "attachment", valid_from=date(2026, 3, 1), **row))
