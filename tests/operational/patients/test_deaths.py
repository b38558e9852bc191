"""Deaths outside the ward: registered once, corrected, voided; on screen in both languages and refused by the base."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.clock import FixedClock
from kmis.settings import Settings
from operational.domains.patients import dying, errors_death, merging, repository, service
from operational.domains.patients.models import Death, Patient
from operational.domains.patients.schemas import Edit
from operational.domains.patients.schemas_death import CorrectDeath, RegisterDeath
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from operational.kit.errors import constraint_of
from tests.operational.patients.builders import TODAY, form_of, registered
from tests.operational.stage import NOW, browser

ORAL = ZoneInfo("Asia/Oral")
CLOCK = FixedClock(NOW)
DIED = NOW - timedelta(hours=20)  # the day before, 18:00 in Oral


@pytest.fixture
def client(session: Session, settings: Settings, scope: Scope) -> TestClient:
    return browser(settings, scope, session)


def wanted_of(patient: Patient, **values: Any) -> RegisterDeath:
    row: dict[str, Any] = {"patient_id": patient.id, "died_at": DIED, "place": "home", "underlying_icd10": "I10"}
    return RegisterDeath(**(row | values))


def create_death(session: Session, patient: Patient, **values: Any) -> Death:
    """A death at home, yesterday."""
    return dying.register_death(session, CLOCK, ORAL, wanted_of(patient, **values))


def test_death_at_home_sets_the_date_of_the_person(session: Session, world: dict[str, int]) -> None:
    patient = registered(session)
    death = create_death(session, patient, certificate_number="WK-1")
    assert (death.owner_organisation_id, death.registered_at, patient.death_date) == (
        world["polyclinic"], NOW, date(2026, 11, 23),
    )  # fmt: skip
    with pytest.raises(errors_death.DeathKnown):
        create_death(session, patient)
    with pytest.raises(errors_death.CertificateTaken):
        create_death(session, registered(session), certificate_number="WK-1")


def test_correction_and_void_carry_the_date_along(session: Session) -> None:
    patient = registered(session)
    death = create_death(session, patient)
    facts = wanted_of(patient, died_at=DIED - timedelta(days=2), immediate_icd10="J06.9").model_dump()
    with pytest.raises(Exception, match="reason"):
        dying.correct_death(session, CLOCK, ORAL, death.id, CorrectDeath(**facts))
    dying.correct_death(session, CLOCK, ORAL, death.id, CorrectDeath(**facts, reason="куәлік бойынша"))
    assert (patient.death_date, death.immediate_icd10) == (date(2026, 11, 21), "J06.9")
    dying.void_death(session, CLOCK, ORAL, death.id, "басқа адам")
    assert (patient.death_date, death.voided_at, death.void_reason) == (None, NOW, "басқа адам")
    with pytest.raises(errors_death.DeathVoidedAlready):
        dying.void_death(session, CLOCK, ORAL, death.id, "тағы")
    assert create_death(session, patient).id != death.id


def test_death_belongs_to_the_person_not_to_the_record(session: Session) -> None:
    survivor, source = registered(session), registered(session, identity_kind="unknown", iin="")
    merging.merge(session, source.id, survivor.id, "бір адам", NOW)
    death = create_death(session, source)
    assert death.patient_id == survivor.id
    assert (survivor.death_date, source.death_date) == (date(2026, 11, 23), date(2026, 11, 23))
    with pytest.raises(errors_death.DeathKnown):
        create_death(session, survivor)


def test_editing_the_record_keeps_the_registered_date(session: Session) -> None:
    patient = registered(session)
    create_death(session, patient)
    form = form_of(iin=patient.iin, birth_date=patient.birth_date, surname="Өмірбекова")
    service.edit(session, patient.id, Edit(**form.model_dump(exclude={"confirm_not_duplicate"}), reason="тегі"), TODAY)
    assert (patient.surname, patient.death_date) == ("Өмірбекова", date(2026, 11, 23))


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "in the future": ({"died_at": NOW + timedelta(hours=1)}, errors_death.DeathInFuture, "died_at"),
    "before the birth": ({"died_at": datetime(1900, 1, 1, tzinfo=ORAL)}, errors_death.DeathBeforeBirth, "died_at"),
    "in no hospital": ({"place": "hospital"}, errors_death.HospitalNeeded, "hospital_organisation_id"),
    "of nothing known": ({"underlying_icd10": "Q99.99"}, errors_death.CauseUnknown, "underlying_icd10"),
    "with an unknown immediate cause": ({"immediate_icd10": "X"}, errors_death.CauseUnknown, "immediate_icd10"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_its_field(session: Session, case: str) -> None:
    values, refusal, field = REFUSED[case]
    with pytest.raises(refusal) as caught:
        create_death(session, registered(session), **values)
    assert getattr(caught.value, "field", None) == field


def test_man_has_no_maternal_death(session: Session) -> None:
    with pytest.raises(errors_death.MaternalOfMan):
        create_death(session, registered(session, sex="M"), maternal="pregnant")


def visit(session: Session, world: dict[str, int], patient: Patient, at: datetime) -> None:
    session.execute(
        text("insert into encounter (owner_organisation_id, patient_id, practitioner_id, practitioner_role_id,"
             " department_id, visit_reason, visit_kind, financing_source, status, started_at)"
             " values (:o, :p, :d, :r, :u, 'disease', 'primary', 'gobmp', 'in_progress', :at)"),
        {"o": world["polyclinic"], "p": patient.id, "d": world["practitioner"], "r": world["role"],
         "u": world["department"], "at": at},
    )  # fmt: skip


def test_death_before_an_event_and_an_event_after_the_death(
    client: TestClient, session: Session, world: dict[str, int]
) -> None:
    patient = registered(session)
    visit(session, world, patient, NOW - timedelta(minutes=10))
    before = {"patient_id": patient.id, "died_at": "2026-11-21T10:00", "place": "home", "underlying_icd10": "I10"}
    answer = client.post("/deaths/new", data=before)
    assert answer.status_code == 422 and "После этого времени человеку оказывали помощь" in answer.text
    create_death(session, patient)
    with pytest.raises(IntegrityError) as caught, session.begin_nested():
        visit(session, world, patient, DIED + timedelta(hours=25))
    assert constraint_of(caught.value) == "ck_encounter_before_death"
    with pytest.raises(IntegrityError) as caught, session.begin_nested():
        session.execute(
            text("update death set died_at = :at where patient_id = :p"),
            {"at": DIED - timedelta(days=5), "p": patient.id},
        )
    assert constraint_of(caught.value) == "ck_death_after_events"


def test_database_refuses_a_second_death(session: Session, world: dict[str, int]) -> None:
    patient = registered(session)
    create_death(session, patient)
    again = ("insert into death (patient_id, owner_organisation_id, died_at, place, underlying_icd10)"
             " values (:p, :o, :at, 'street', 'I10')")  # fmt: skip
    with pytest.raises(IntegrityError) as caught, session.begin_nested():
        session.execute(text(again), {"p": patient.id, "o": world["polyclinic"], "at": DIED})
    assert constraint_of(caught.value) == "uq_death_patient"


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_pages_in_both_languages(session: Session, settings: Settings, scope: Scope, language: str) -> None:
    client = browser(settings, scope, session, language=language)
    patient = registered(session)
    death = create_death(session, patient, time_known_flag=False)
    for address in ("/deaths", "/deaths/new", f"/deaths/new?patient={patient.id}", f"/deaths/{death.id}",
                    f"/deaths/{death.id}/edit"):  # fmt: skip
        answer = client.get(address)
        assert (answer.status_code, "⟦" in answer.text) == (200, False), address


def test_registered_found_corrected_and_voided_on_screen(client: TestClient, session: Session) -> None:
    patient = registered(session, surname="Қайырғалиев", sex="M")
    data = {"patient_id": patient.id, "died_at": "2026-11-23T18:00", "place": "home", "underlying_icd10": "I10",
            "autopsy_flag": "1"}  # fmt: skip
    unknown = client.post("/deaths/new", data=data | {"place": ""})
    assert unknown.status_code == 422 and 'id="e-place"' in unknown.text
    answer = client.post("/deaths/new", data=data)
    assert answer.status_code == 303
    key = int(answer.headers["location"].rpartition("/")[2])
    assert "Қайырғалиев" in client.post("/deaths", data={"q": "кайыргалиев", "since": "23.11.2026"}).text
    assert "Қайырғалиев" not in client.post("/deaths", data={"q": "", "until": "22.11.2026"}).text
    assert "Қайырғалиев" not in client.post("/deaths", data={"place": "street"}).text
    card = client.get(f"/patients/{patient.id}").text
    assert "23.11.2026" in card
    twice = client.post("/deaths/new", data=data)
    assert twice.status_code == 409 and "уже зарегистрирована" in twice.text
    assert client.post(f"/deaths/{key}/edit", data=data).status_code == 422
    edited = client.post(f"/deaths/{key}/edit", data=data | {"place": "street", "reason": "уточнено"})
    assert edited.status_code == 303
    row = repository.death(session, key)
    assert row is not None and (row.place, row.autopsy_flag, row.died_at) == ("street", True, DIED)
    assert client.post(f"/deaths/{key}/void", data={"reason": ""}).status_code == 422
    assert client.post(f"/deaths/{key}/void", data={"reason": "ошибка"}).status_code == 303
    assert "Внесена ошибочно" in client.get(f"/deaths/{key}").text


def test_api_registers_corrects_and_voids(client: TestClient, session: Session) -> None:
    patient = registered(session)
    body = {"patient_id": patient.id, "died_at": "2026-11-23T13:00:00Z", "place": "home", "underlying_icd10": "I10"}
    made = client.post("/api/deaths", json=body)
    assert made.status_code == 201
    key = made.json()["id"]
    problem = client.post("/api/deaths", json=body)
    assert (problem.status_code, problem.json()["field"]) == (409, "died_at")
    fixed = client.put(f"/api/deaths/{key}", json=body | {"maternal": "unknown", "reason": "куәлік бойынша"})
    assert fixed.json()["maternal"] == "unknown"
    assert client.get(f"/api/deaths/{key}").json()["place"] == "home"
    assert client.post(f"/api/deaths/{key}/void", json={"reason": "қате"}).json()["void_reason"] == "қате"
    assert client.get("/api/deaths/0").status_code == 404


def test_another_organisation_sees_the_death_only_with_the_person(
    session: Session, settings: Settings, scope: Scope, world: dict[str, int]
) -> None:
    patient = registered(session)
    death = create_death(session, patient)
    stranger = replace(
        scope, user_id=world["other_user"], organisation_ids=frozenset({world["other"]}),
        home_organisation_id=world["other"],
    )  # fmt: skip
    apply_scope(session, stranger)
    session.expunge_all()
    client = browser(settings, stranger, session)
    assert client.get(f"/deaths/{death.id}").status_code == 404
    assert client.post("/deaths/new", data={"patient_id": patient.id, "died_at": "2026-11-23T18:00", "place": "home",
                                            "underlying_icd10": "I10"}).status_code == 404  # fmt: skip
    session.execute(text("select kmis_open_person(:p, :o, 'қарау үшін')"), {"p": patient.id, "o": world["other"]})
    assert client.get(f"/deaths/{death.id}").status_code == 200
    assert client.post(f"/deaths/{death.id}/void", data={"reason": "қате"}).status_code == 403
