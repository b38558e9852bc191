"""Schedules, slots and bookings over HTTP on the real store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Barrier
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.scheduling.models import Schedule
from operational.kit.access import Scope
from tests.factories import create_patient, insert
from tests.operational.patients.builders import registered
from tests.operational.stage import browser

DAY = "2026-11-25"


@pytest.fixture
def client(session: Session, settings: Settings, scope: Scope) -> TestClient:
    return browser(settings, scope, session)


def plan(world: dict[str, int], **values: Any) -> dict[str, Any]:
    """Wednesday 9:00 to 10:00 in quarters of an hour, unless told otherwise."""
    wanted = {
        "practitioner_role_id": world["role"], "room_id": world["room"], "date_from": DAY, "date_to": DAY,
        "weekdays": [1, 2, 3, 4, 5, 6, 7], "start_time": "09:00", "end_time": "10:00", "slot_minutes": 15,
    }  # fmt: skip
    return wanted | values


def made(client: TestClient, world: dict[str, int], **values: Any) -> list[int]:
    """Make a schedule and return the keys of the free slots of its day."""
    answer = client.post("/api/schedules", json=plan(world, **values))
    assert answer.status_code == 201, answer.text
    day = values.get("date_from", DAY)
    return [row["id"] for row in client.get("/api/slots", params={"day": day}).json()]


def booked(client: TestClient, slot: int, patient: int, **values: Any) -> dict[str, Any]:
    answer = client.post("/api/appointments", json={"slot_id": slot, "patient_id": patient, **values})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def problem(answer: Any, status: int, field: str | None, words: str) -> None:
    """A refusal as problem+json, at its field, in the user's language."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body.get("field") == field
    assert words in body["detail"]


def second_doctor(session: Session, world: dict[str, int]) -> dict[str, int]:
    """Another doctor of the polyclinic with a room of the own."""
    one: int = session.execute(
        text("insert into practitioner (surname, given_name, sort_key) values ('Ахмет', 'Болат', 'a') returning id")
    ).scalar_one()
    role: int = session.execute(
        text(
            "insert into practitioner_role (practitioner_id, organisation_id, department_id, specialty_code,"
            " position_code, valid_from) values (:one, :place, :unit, 'surgery', 'doctor', '2015-01-01') returning id"
        ),
        {"one": one, "place": world["polyclinic"], "unit": world["department"]},
    ).scalar_one()
    room: int = session.execute(
        text(
            "insert into room (organisation_id, department_id, code, name_kk, name_ru)"
            " values (:place, :unit, '202', '202', '202') returning id"
        ),
        {"place": world["polyclinic"], "unit": world["department"]},
    ).scalar_one()
    return world | {"practitioner": one, "role": role, "room": room}


def test_schedule_is_cut_into_whole_slots_of_local_time(client: TestClient, world: dict[str, int]) -> None:
    made(client, world, end_time="10:10", slot_minutes=20)
    slots = client.get("/api/slots", params={"day": DAY}).json()
    starts = [datetime.fromisoformat(row["starts_at"]).astimezone(UTC) for row in slots]
    assert starts == [datetime(2026, 11, 25, 4, minute, tzinfo=UTC) for minute in (0, 20, 40)]
    assert datetime.fromisoformat(slots[-1]["ends_at"]).astimezone(UTC) == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)


def test_change_of_the_zone_offset_in_2024(session: Session, client: TestClient) -> None:
    from operational.domains.scheduling.service import Scheduling

    app: Any = client.app
    days = Scheduling(session, app.state.clock, app.state.settings.zone)
    assert days.day(date(2023, 6, 30))[0] == datetime(2023, 6, 29, 19, 0, tzinfo=UTC)
    assert days.day(date(2023, 6, 30))[1] == datetime(2023, 6, 30, 19, 0, tzinfo=UTC)


def test_only_the_chosen_weekdays(client: TestClient, world: dict[str, int]) -> None:
    answer = client.post("/api/schedules", json=plan(world, date_to="2026-12-08", weekdays=[3, 5]))
    assert len(answer.json()) == 4


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"date_to": "2026-11-24"}, "date_to", "Последний день раньше первого"),
        ({"date_from": "2026-11-23"}, "date_from", "прошедший день"),
        ({"end_time": "08:00"}, "end_time", "позже начала"),
        ({"end_time": "09:00"}, "end_time", "позже начала"),
    ],
)
def test_impossible_times_are_refused_at_the_field(
    client: TestClient, world: dict[str, int], values: dict[str, Any], field: str, words: str
) -> None:
    problem(client.post("/api/schedules", json=plan(world, **values)), 422, field, words)


def test_refusal_speaks_the_language_of_the_user(
    session: Session, settings: Settings, scope: Scope, world: dict[str, int]
) -> None:
    kazakh = browser(settings, scope, session, language="kk")
    answer = kazakh.post("/api/schedules", json=plan(world, date_to="2026-11-24"))
    problem(answer, 422, "date_to", "Соңғы күн бірінші күннен бұрын")


@pytest.mark.requirement("SCHED-10", "SCHED-11")
def test_overlapping_schedules_of_doctor_and_room(client: TestClient, session: Session, world: dict[str, int]) -> None:
    made(client, world)
    other = second_doctor(session, world)
    later = {"start_time": "09:30", "end_time": "11:00"}
    answer = client.post("/api/schedules", json=plan(world, room_id=other["room"], **later))
    problem(answer, 409, "start_time", "уже есть расписание")
    answer = client.post("/api/schedules", json=plan(other, room_id=world["room"], **later))
    problem(answer, 409, "room_id", "Кабинет на это время занят")
    assert client.post("/api/schedules", json=plan(other, **later)).status_code == 201
    assert client.post("/api/schedules", json=plan(world, start_time="10:00", end_time="11:00")).status_code == 201


def test_a_period_of_more_than_a_year_is_refused(client: TestClient, world: dict[str, int]) -> None:
    problem(client.post("/api/schedules", json=plan(world, date_to="2028-01-10")), 422, "date_to", "366")


def test_refused_period_leaves_nothing(client: TestClient, world: dict[str, int]) -> None:
    made(client, world)
    answer = client.post("/api/schedules", json=plan(world, date_from="2026-11-24", date_to=DAY, start_time="09:30"))
    assert answer.status_code == 409
    assert client.get("/api/slots", params={"day": "2026-11-24"}).json() == []


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("ends_at = starts_at", "ck_schedule_times"),
        ("slot_minutes = 0", "ck_schedule_slot_minutes"),
    ],
)
def test_database_refuses_by_itself(
    client: TestClient, session: Session, world: dict[str, int], change: str, constraint: str
) -> None:
    made(client, world)
    with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
        session.execute(
            text(f"update schedule set {change} where practitioner_id = :key"), {"key": world["practitioner"]}
        )


def test_database_refuses_overlap_and_foreign_staff(
    client: TestClient, session: Session, world: dict[str, int]
) -> None:
    made(client, world)
    row = session.query(Schedule).order_by(Schedule.id.desc()).first()
    assert row is not None
    copy = (
        "insert into schedule (owner_organisation_id, practitioner_role_id, practitioner_id, department_id, room_id,"
        " starts_at, ends_at, slot_minutes) select :owner, practitioner_role_id, practitioner_id, department_id,"
        " room_id, starts_at, ends_at, slot_minutes from schedule where id = :key"
    )
    with pytest.raises(IntegrityError, match="ex_schedule_"), session.begin_nested():
        session.execute(text(copy), {"owner": world["polyclinic"], "key": row.id})
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text(copy), {"owner": world["other"], "key": row.id})


@pytest.mark.parametrize("role", ["other_role", None])
def test_position_of_another_organisation_is_refused(
    client: TestClient, world: dict[str, int], role: str | None
) -> None:
    key = world[role] if role else 0
    problem(
        client.post("/api/schedules", json=plan(world, practitioner_role_id=key)),
        422,
        "practitioner_role_id",
        "нет должности",
    )


@pytest.mark.requirement("APPT-08", "APPT-09")
def test_booking_takes_the_slot(client: TestClient, session: Session, world: dict[str, int]) -> None:
    slots = made(client, world)
    first, second = registered(session), registered(session, surname="Тоқаева")
    booked(client, slots[0], first.id)
    answer = client.post("/api/appointments", json={"slot_id": slots[0], "patient_id": second.id})
    problem(answer, 409, "slot_id", "уже занято")
    free = [row["id"] for row in client.get("/api/slots", params={"day": DAY}).json()]
    assert free == slots[1:]
    page = client.get("/day", params={"day": "25.11.2026", "doctor": world["practitioner"]})
    assert page.status_code == 200
    assert first.surname in page.text
    assert "09:00" in page.text


@pytest.mark.requirement("APPT-07")
def test_patient_is_not_booked_twice_at_one_time(client: TestClient, session: Session, world: dict[str, int]) -> None:
    other = second_doctor(session, world)
    slots = made(client, world)
    everything = made(client, other)
    at_the_same_time = next(
        row["id"]
        for row in client.get("/api/slots", params={"day": DAY, "practitioner_id": other["practitioner"]}).json()
    )
    assert at_the_same_time in everything
    patient = registered(session)
    booked(client, slots[0], patient.id)
    answer = client.post("/api/appointments", json={"slot_id": at_the_same_time, "patient_id": patient.id})
    problem(answer, 409, "patient_id", "уже записан")


@pytest.mark.requirement("APPT-01")
def test_group_slot_has_as_many_seats_as_its_capacity(
    client: TestClient, session: Session, world: dict[str, int]
) -> None:
    slot = made(client, world, capacity=2)[0]
    people = [registered(session, surname=name).id for name in ("Ахметова", "Болатова", "Серікова")]
    assert [booked(client, slot, key)["seat"] for key in people[:2]] == [1, 2]
    answer = client.post("/api/appointments", json={"slot_id": slot, "patient_id": people[2]})
    problem(answer, 409, "slot_id", "уже занято")


@pytest.mark.requirement("APPT-02", "APPT-05")
def test_cancelling_needs_a_reason_and_frees_the_seat(
    client: TestClient, session: Session, world: dict[str, int]
) -> None:
    session.execute(
        text("insert into directory (code, title_kk, title_ru, status, version, source) values"
             " ('cancel_reason', 'a', 'a', 'own', '1', 'test') on conflict do nothing")
    )  # fmt: skip
    session.execute(
        text("insert into coded_value (directory_code, code, name_kk, name_ru) values"
             " ('cancel_reason', 'patient_asked', 'Өзі сұрады', 'По просьбе') on conflict do nothing")
    )  # fmt: skip
    slot = made(client, world)[0]
    first, second = registered(session), registered(session, surname="Тоқаева")
    key = booked(client, slot, first.id)["id"]
    url = f"/api/appointments/{key}/cancel"
    assert client.post(url, json={"cancel_reason": ""}).status_code == 422
    problem(client.post(url, json={"cancel_reason": "no_such"}), 422, "cancel_reason", "Выберите причину")
    answer = client.post(url, json={"cancel_reason": "patient_asked"})
    assert answer.json()["status"] == "cancelled"
    problem(client.post(url, json={"cancel_reason": "patient_asked"}), 409, None, "Запись закрыта")
    assert booked(client, slot, second.id)["seat"] == 1
    with pytest.raises(IntegrityError, match="cancelled_has_reason"), session.begin_nested():
        session.execute(text("update appointment set cancel_reason = null where id = :key"), {"key": key})


def test_arrival_no_show_and_undo(client: TestClient, session: Session, world: dict[str, int]) -> None:
    slot = made(client, world)[0]
    key = booked(client, slot, registered(session).id)["id"]
    assert client.post(f"/api/appointments/{key}/arrive").json()["status"] == "arrived"
    assert client.post(f"/appointments/{key}/back").status_code == 303
    assert client.post(f"/api/appointments/{key}/no-show").json()["status"] == "noshow"
    assert client.post(f"/appointments/{key}/back").status_code == 303
    assert client.post(f"/api/appointments/{key}/arrive").json()["status"] == "arrived"


def test_no_show_is_not_taken_back_into_another_booking(
    client: TestClient, session: Session, world: dict[str, int]
) -> None:
    other = second_doctor(session, world)
    slots, _ = made(client, world), made(client, other)
    free = client.get("/api/slots", params={"day": DAY, "practitioner_id": other["practitioner"]}).json()
    patient = registered(session)
    key = booked(client, slots[0], patient.id)["id"]
    client.post(f"/api/appointments/{key}/no-show")
    booked(client, free[0]["id"], patient.id)
    problem(client.post(f"/api/appointments/{key}/arrive"), 409, "patient_id", "уже записан")


def test_slot_of_another_organisation_is_not_found(
    client: TestClient, session: Session, settings: Settings, scope: Scope, world: dict[str, int]
) -> None:
    from operational.kit.db import apply_scope

    patient = registered(session)
    stranger = replace(scope, organisation_ids=frozenset({world["other"]}), home_organisation_id=world["other"])
    apply_scope(session, stranger)
    theirs = {"role": world["other_role"], "room": world["other_room"]}
    slot = made(browser(settings, stranger, session), theirs)[0]
    apply_scope(session, scope)
    answer = client.post("/api/appointments", json={"slot_id": slot, "patient_id": patient.id})
    assert (answer.status_code, answer.json()["field"]) == (404, "slot_id")
    assert client.post(f"/slots/{slot}/block").status_code == 404


def test_blocked_slot_passed_slot_and_unknown_service(
    client: TestClient, session: Session, world: dict[str, int]
) -> None:
    slots = made(client, world)
    patient = registered(session)
    assert client.post(f"/slots/{slots[0]}/block").status_code == 303
    wanted = {"slot_id": slots[0], "patient_id": patient.id}
    problem(client.post("/api/appointments", json=wanted), 409, "slot_id", "уже занято")
    assert client.post(f"/slots/{slots[0]}/restore").status_code == 303
    answer = client.post("/api/appointments", json=wanted | {"service_code": "NO.SUCH"})
    assert (answer.status_code, answer.json()["field"]) == (404, "service_code")
    booked(client, slots[0], patient.id)
    assert client.post(f"/slots/{slots[0]}/block").status_code == 409
    early = made(client, world, date_from="2026-11-24", date_to="2026-11-24")[0]
    problem(client.post("/api/appointments", json=wanted | {"slot_id": early}), 422, "slot_id", "уже прошло")


def test_each_act_needs_its_right(session: Session, settings: Settings, scope: Scope, world: dict[str, int]) -> None:
    stranger = browser(settings, replace(scope, permissions=frozenset()), session)
    assert stranger.post("/api/schedules", json=plan(world)).status_code == 403
    assert stranger.get("/api/slots", params={"day": DAY}).status_code == 403
    assert stranger.post("/api/appointments", json={"slot_id": 1, "patient_id": 1}).status_code == 403
    assert stranger.post("/api/appointments/1/cancel", json={"cancel_reason": "x"}).status_code == 403


@pytest.fixture
def open_slot(settings: Settings, world: dict[str, int]) -> Iterator[tuple[int, list[int]]]:
    """A committed slot of one seat and six people; taken out of the way afterwards."""
    start, end = datetime(2026, 12, 30, 4, 0, tzinfo=UTC), datetime(2026, 12, 30, 4, 15, tzinfo=UTC)
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        schedule = insert(
            connection, "schedule", owner_organisation_id=world["polyclinic"], practitioner_role_id=world["role"],
            practitioner_id=world["practitioner"], department_id=world["department"], room_id=world["room"],
            starts_at=start, ends_at=end, slot_minutes=15,
        )  # fmt: skip
        slot = insert(
            connection, "slot", owner_organisation_id=world["polyclinic"], schedule_id=schedule,
            practitioner_id=world["practitioner"], room_id=world["room"], starts_at=start, ends_at=end,
        )  # fmt: skip
        people = [create_patient(connection, world["polyclinic"]) for _ in range(6)]
    yield slot, people
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        connection.execute("delete from appointment where slot_id = %s", (slot,))
        connection.execute("delete from slot where id = %s", (slot,))
        connection.execute("delete from schedule where id = %s", (schedule,))


@pytest.mark.requirement("APPT-08")
def test_of_people_booked_at_once_exactly_one_gets_the_seat(
    settings: Settings, scope: Scope, open_slot: tuple[int, list[int]]
) -> None:
    slot, people = open_slot
    client = browser(settings, scope)
    together = Barrier(len(people))

    def book(patient: int) -> tuple[int, str]:
        together.wait()
        answer = client.post("/api/appointments", json={"slot_id": slot, "patient_id": patient})
        return answer.status_code, answer.text

    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(book, people))
    assert sorted(status for status, _ in answers) == [201] + [409] * 5, answers


def test_a_booking_names_codes_of_the_directories_and_a_person_who_lives(
    client: TestClient, session: Session, world: dict[str, int]
) -> None:
    slots = made(client, world)
    person = registered(session).id
    session.execute(
        text("insert into coded_value (directory_code, code, name_kk, name_ru) values"
             " ('booking_channel', 'registry', 'Тіркеу', 'Регистратура'),"
             " ('financing_source', 'gobmp', 'ТМККК', 'ГОБМП')"
             " on conflict do nothing")
    )  # fmt: skip
    for field in ("booking_channel", "financing_source"):
        answer = client.post("/api/appointments", json={"slot_id": slots[0], "patient_id": person, field: "pigeon"})
        problem(answer, 422, field, "нет в справочнике")
    session.execute(text("update patient set death_date = '2026-11-01' where id = :key"), {"key": person})
    answer = client.post("/api/appointments", json={"slot_id": slots[0], "patient_id": person})
    problem(answer, 422, "patient_id", "умер")
