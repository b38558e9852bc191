"""A visit over HTTP on the real store: begun, coded, signed, corrected, voided, and every refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.catalogs.models import CodedValue
from operational.domains.encounters import repository, signing
from operational.domains.patients import merging
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from tests.operational.patients.builders import registered
from tests.operational.scheduling.test_scheduling import booked, made, problem
from tests.operational.stage import NOW, browser

VISITS = "/api/encounters"


@pytest.fixture
def client(session: Session, settings: Settings, scope: Scope) -> TestClient:
    return browser(settings, scope, session)


def begun(client: TestClient, patient: int, **values: Any) -> int:
    answer = client.post(VISITS, json={"patient_id": patient, **values})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def signed(client: TestClient, patient: int, **values: Any) -> int:
    """A signed visit with a main diagnosis."""
    key = begun(client, patient, **values)
    assert client.post(f"{VISITS}/{key}/conditions", json={"icd10_code": "J06.9"}).status_code == 201
    assert client.patch(f"{VISITS}/{key}", json={"outcome": "improvement", "plan": "Тынығу"}).status_code == 200
    answer = client.post(f"{VISITS}/{key}/sign")
    assert answer.status_code == 200, answer.text
    return key


def signatures(client: TestClient, key: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"{VISITS}/{key}/signatures").json()
    return rows


def test_visit_by_booking_fulfils_it(client: TestClient, session: Session, world: dict[str, int]) -> None:
    patient = registered(session)
    slots = made(client, world, date_from="2026-11-24", date_to="2026-11-24", start_time="14:00", end_time="15:00")
    booking = booked(client, slots[0], patient.id)["id"]
    key = signed(client, patient.id, appointment_id=booking)
    state = "select status from appointment where id = :key"
    assert session.execute(text(state), {"key": booking}).scalar_one() == "fulfilled"
    shown = client.get(f"{VISITS}/{key}").json()
    assert (shown["status"], shown["appointment_id"], shown["version"]) == ("finished", booking, 1)
    again = client.post(VISITS, json={"patient_id": patient.id, "appointment_id": booking})
    problem(again, 409, None, "приём уже начат")
    problem(client.post(f"/api/appointments/{booking}/cancel", json={"cancel_reason": "x"}), 409, None, "закрыта")


def test_start_marks_the_arrival(client: TestClient, session: Session, world: dict[str, int]) -> None:
    patient = registered(session)
    slot = made(client, world, date_from="2026-11-24", date_to="2026-11-24", start_time="14:00", end_time="15:00")[0]
    booking = booked(client, slot, patient.id)["id"]
    begun(client, patient.id, appointment_id=booking)
    row = session.execute(text("select status, arrived_at from appointment where id = :key"), {"key": booking}).one()
    assert row == ("arrived", NOW)
    stranger = registered(session, surname="Тоқаева")
    answer = client.post(VISITS, json={"patient_id": stranger.id, "appointment_id": booking})
    assert (answer.status_code, answer.json()["field"]) == (404, "appointment_id")


def test_second_visit_to_the_specialty_is_a_repeat_one(client: TestClient, session: Session) -> None:
    patient = registered(session)
    first = begun(client, patient.id, started_at="2026-11-20T09:00:00+05:00")
    second = begun(client, patient.id)
    before_both = begun(client, patient.id, started_at="2026-11-18T09:00:00+05:00")
    kinds = [client.get(f"{VISITS}/{key}").json()["visit_kind"] for key in (first, second, before_both)]
    assert kinds == ["primary", "repeat", "primary"]


def test_visit_outside_the_doctors_organisation(client: TestClient, session: Session, world: dict[str, int]) -> None:
    patient = registered(session)
    wanted = {"patient_id": patient.id, "practitioner_role_id": world["other_role"]}
    problem(client.post(VISITS, json=wanted), 422, "practitioner_role_id", "другой организации")
    foreign = text(
        "insert into encounter (owner_organisation_id, patient_id, practitioner_id, practitioner_role_id,"
        " department_id, visit_reason, visit_kind, financing_source, started_at) values"
        " (:owner, :patient, :doctor, :role, :unit, 'disease', 'primary', 'gobmp', now())"
    )
    with pytest.raises(IntegrityError, match="fk_encounter_role"), session.begin_nested():
        session.execute(
            foreign,
            {
                "owner": world["polyclinic"], "patient": patient.id, "doctor": world["other_practitioner"],
                "role": world["other_role"], "unit": world["department"],
            },
        )  # fmt: skip
    with pytest.raises(DBAPIError, match="row-level security"), session.begin_nested():
        session.execute(
            foreign,
            {
                "owner": world["other"], "patient": patient.id, "doctor": world["other_practitioner"],
                "role": world["other_role"], "unit": world["other_department"],
            },
        )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-24T15:00:00+05:00", "в будущем"),
        ("1990-05-11T12:00:00+05:00", "вне времени жизни"),
    ],
)
def test_visit_in_the_future_or_before_birth(client: TestClient, session: Session, at: str, words: str) -> None:
    patient = registered(session, birth_date=date(1990, 5, 12))
    problem(client.post(VISITS, json={"patient_id": patient.id, "started_at": at}), 422, "started_at", words)


def test_local_day_decides_at_half_past_eleven(client: TestClient, session: Session) -> None:
    """23:30 of 30.06.2023 in Oral is 18:30 UTC: still the day before the birth."""
    patient = registered(session, birth_date=date(2023, 7, 1))
    at = {"patient_id": patient.id, "started_at": "2023-06-30T23:30:00"}
    problem(client.post(VISITS, json=at), 422, "started_at", "вне времени жизни")
    begun(client, patient.id, started_at="2023-07-01T00:30:00")


def test_diagnoses(client: TestClient, session: Session) -> None:
    session.execute(
        text("insert into icd10 (code, level, name_ru, search_key, valid_from) values"
             " ('J00-J06', 'block', 'ОРИ', 'ори', '2015-01-01'), ('J', 'chapter', 'J', 'j', '2015-01-01')")
    )  # fmt: skip
    url = f"{VISITS}/{begun(client, registered(session).id)}/conditions"
    assert client.post(url, json={"icd10_code": "J06.9"}).status_code == 201
    problem(client.post(url, json={"icd10_code": "I10"}), 409, "rank", "Основной диагноз уже есть")
    again = {"icd10_code": "J06.9", "rank": "comorbid"}
    problem(client.post(url, json=again), 409, "icd10_code", "уже поставлен")
    for code in ("X99.9", "J00-J06", "J"):
        answer = client.post(url, json={"icd10_code": code, "rank": "comorbid"})
        problem(answer, 422, "icd10_code", "Такого кода МКБ-10 нет")
    assert client.post(url, json={"icd10_code": "I10", "rank": "comorbid"}).status_code == 201


def test_tariff_of_the_visits_day_is_kept(client: TestClient, session: Session) -> None:
    session.execute(
        text("insert into service_tariff (service_code, amount_kzt, valid_from, valid_to) values"
             " ('A02.001.000', 1000.50, '2026-01-01', '2026-11-20'), ('A02.001.000', 1200, '2026-11-20', null)")
    )  # fmt: skip
    patient = registered(session)
    amounts = []
    for at in ("2026-11-19T23:30:00", "2026-11-20T00:30:00"):
        key = begun(client, patient.id, started_at=at)
        answer = client.post(f"{VISITS}/{key}/procedures", json={"service_code": "A02.001.000", "quantity": 2})
        stored = text("select tariff_kzt from procedure where id = :key")
        amounts.append(float(session.execute(stored, {"key": answer.json()["id"]}).scalar_one()))
    assert amounts == [1000.5, 1200]
    url = f"{VISITS}/{key}/procedures"
    problem(client.post(url, json={"service_code": "Z99"}), 422, "service_code", "Такой услуги")
    session.execute(text("update service set valid_to = '2026-11-01' where code = 'A02.001.000'"))
    problem(client.post(url, json={"service_code": "A02.001.000"}), 422, "service_code", "Такой услуги")


def test_referral_has_a_number_of_its_own(client: TestClient, session: Session, world: dict[str, int]) -> None:
    key = begun(client, registered(session).id)
    client.post(f"{VISITS}/{key}/conditions", json={"icd10_code": "I10"})
    url = f"{VISITS}/{key}/referrals"
    wanted = {"kind": "consultation", "specialty_code": "cardiology", "reason": "Консультация"}
    made_ = [client.post(url, json=wanted).json()["id"] for _ in range(2)]
    rows = session.execute(
        text("select number, icd10_code from service_request where id = any(:keys)"), {"keys": made_}
    ).all()
    assert len({row.number for row in rows}) == 2
    assert {row.icd10_code for row in rows} == {"I10"}
    nowhere = {"kind": "consultation", "reason": "Консультация"}
    problem(client.post(url, json=nowhere), 422, "service_code", "Выберите услугу или специалиста")
    problem(client.post(url, json=wanted | {"valid_until": "2026-11-23"}), 422, "valid_until", "раньше сегодняшнего")
    unknown = client.post(url, json=wanted | {"target_organisation_id": 999_999})
    assert (unknown.status_code, unknown.json()["field"]) == (404, "target_organisation_id")


def test_signing_needs_main_diagnosis_and_outcome(client: TestClient, session: Session) -> None:
    key = begun(client, registered(session).id)
    problem(client.post(f"{VISITS}/{key}/sign"), 422, "icd10_code", "Добавьте основной диагноз")
    client.post(f"{VISITS}/{key}/conditions", json={"icd10_code": "I10", "rank": "comorbid"})
    problem(client.post(f"{VISITS}/{key}/sign"), 422, "icd10_code", "Добавьте основной диагноз")
    client.post(f"{VISITS}/{key}/conditions", json={"icd10_code": "J06.9"})
    problem(client.post(f"{VISITS}/{key}/sign"), 422, "outcome", "Выберите исход")
    assert signatures(client, key) == []


def test_signed_visit_is_not_written(client: TestClient, session: Session) -> None:
    key = signed(client, registered(session).id)
    url = f"{VISITS}/{key}"
    for answer in (
        client.patch(url, json={"plan": "басқа"}),
        client.post(f"{url}/conditions", json={"icd10_code": "I10", "rank": "comorbid"}),
        client.post(f"{url}/procedures", json={"service_code": "A02.001.000"}),
        client.post(f"{url}/referrals", json={"kind": "consultation", "specialty_code": "x", "reason": "себебі"}),
        client.post(f"{url}/sign"),
    ):
        problem(answer, 409, None, "Приём подписан")


def test_correction_is_a_new_version_and_the_old_one_stays(client: TestClient, session: Session) -> None:
    key = signed(client, registered(session).id)
    first = signatures(client, key)
    url = f"{VISITS}/{key}"
    assert client.post(f"{url}/reopen", json={"reason": "x"}).status_code == 422
    assert client.post(f"{url}/reopen", json={"reason": "Қате жазылды"}).json()["version"] == 2
    problem(client.post(f"{url}/reopen", json={"reason": "Қате жазылды"}), 409, None, "ещё не подписан")
    client.patch(url, json={"plan": "Басқа ем"})
    assert client.post(f"{url}/sign").status_code == 200
    both = signatures(client, key)
    assert both[0] == first[0]
    assert [(row["version"], row["unaltered"]) for row in both] == [(1, True), (2, True)]
    assert both[0]["digest"] != both[1]["digest"]
    texts: Any = session.execute(
        text("select canonical from signed_document where encounter_id = :key order by version"), {"key": key}
    ).scalars()
    assert [json.loads(canonical)["plan"] for canonical in texts] == ["Тынығу", "Басқа ем"]


def test_altered_document_is_found(client: TestClient, session: Session) -> None:
    key = signed(client, registered(session).id)
    document = repository.documents(session, key)[0]
    assert signing.unaltered(document)
    session.expunge(document)
    document.canonical = document.canonical.replace("Тынығу", "Операция")
    assert not signing.unaltered(document)


def test_void_and_restore(client: TestClient, session: Session) -> None:
    key = signed(client, registered(session).id)
    url = f"{VISITS}/{key}"
    assert client.post(f"{url}/void", json={"reason": ""}).status_code == 422
    assert client.post(f"{url}/void", json={"reason": "Басқа адам"}).json()["status"] == "entered_in_error"
    problem(client.post(f"{url}/void", json={"reason": "Басқа адам"}), 409, None, "внесённый ошибочно")
    problem(client.patch(url, json={"plan": "x"}), 409, None, "внесённый ошибочно")
    assert client.post(f"/visits/{key}/restore", data={"reason": "Дұрыс екен"}).status_code == 303
    shown = client.get(url).json()
    assert (shown["status"], shown["signed_at"] is not None) == ("finished", True)
    with pytest.raises(IntegrityError, match="ck_encounter_voided"), session.begin_nested():
        session.execute(text("update encounter set voided_at = now(), void_reason = 'x' where id = :k"), {"k": key})


def test_only_the_author_writes(
    client: TestClient, session: Session, settings: Settings, scope: Scope, world: dict[str, int]
) -> None:
    patient = registered(session)
    key = begun(client, patient.id)
    colleague = replace(
        scope, practitioner_id=world["other_practitioner"], permissions=scope.permissions - {"encounters.write_any"}
    )
    apply_scope(session, colleague)
    other = browser(settings, colleague, session)
    url = f"{VISITS}/{key}"
    for answer in (
        other.patch(url, json={"plan": "x"}),
        other.post(f"{url}/conditions", json={"icd10_code": "I10"}),
        other.post(f"{url}/sign"),
        other.post(f"{url}/void", json={"reason": "Басқа адам"}),
        other.post(VISITS, json={"patient_id": patient.id, "practitioner_role_id": world["role"]}),
    ):
        problem(answer, 403, None, "только тот врач")
    assert other.get(url).status_code == 200


def test_another_organisation_does_not_see_the_visit(
    client: TestClient, session: Session, settings: Settings, scope: Scope, world: dict[str, int]
) -> None:
    key = signed(client, registered(session).id)
    session.expunge_all()
    stranger = replace(scope, organisation_ids=frozenset({world["other"]}), home_organisation_id=world["other"])
    apply_scope(session, stranger)
    assert browser(settings, stranger, session).get(f"{VISITS}/{key}").status_code == 404


def test_merge_keeps_the_identity_that_was_signed(client: TestClient, session: Session) -> None:
    source, target = registered(session, surname="Ескі"), registered(session, surname="Жаңа")
    key = signed(client, source.id)
    merging.merge(session, source.id, target.id, "Бір адам", NOW)
    session.expire_all()
    kept: Any = session.execute(
        text("select patient_snapshot from signed_document where encounter_id = :key"), {"key": key}
    ).scalar_one()
    assert (kept["surname"], kept["iin"]) == ("Ескі", source.iin)
    assert signatures(client, key)[0]["unaltered"] is True


def test_draft_goes_at_signing(client: TestClient, session: Session) -> None:
    key = begun(client, registered(session).id)
    draft = f"/drafts/visit/{key}"
    assert client.put(draft, json={"content": {"plan": ["Тынығу"]}}).status_code == 204
    assert client.get(draft).json()["content"] == {"plan": ["Тынығу"]}
    client.post(f"{VISITS}/{key}/conditions", json={"icd10_code": "J06.9"})
    client.patch(f"{VISITS}/{key}", json={"outcome": "improvement"})
    assert client.post(f"{VISITS}/{key}/sign").status_code == 200
    assert client.get(draft).status_code == 204


def test_answer_comes_after_the_commit(
    settings: Settings, scope: Scope, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that fails never answers 2xx, neither to a program nor to a person."""
    from kmis.clock import FixedClock
    from operational.kit.db import KmisSession, transaction

    with transaction(settings, scope) as store:
        # What is committed stays for the whole run: nobody else searches for this name.
        patient = registered(store, surname="Жұмаділов", given_name="Ерасыл").id
    client = browser(settings, scope, clock=FixedClock(datetime(2026, 11, 24, 9, 30, tzinfo=UTC)))

    def fail(self: KmisSession) -> None:
        raise RuntimeError("the server went away")

    count = text("select count(*) from encounter where patient_id = :key")
    with monkeypatch.context() as broken:
        broken.setattr(KmisSession, "commit", fail)
        assert client.post(VISITS, json={"patient_id": patient}).status_code == 500
        assert client.post("/visits", data={"patient_id": str(patient)}).status_code == 500
    with transaction(settings, scope) as store:
        assert store.execute(count, {"key": patient}).scalar_one() == 0


def test_a_value_outside_its_directory_is_refused_at_its_field(client: TestClient, session: Session) -> None:
    session.add(
        CodedValue(directory_code="encounter_outcome", code="recovery", name_kk="Сауығу", name_ru="Выздоровление")
    )
    session.flush()
    url = f"{VISITS}/{begun(client, registered(session).id)}"
    problem(client.patch(url, json={"outcome": "nonsense"}), 422, "outcome", "нет в справочнике")
    assert client.patch(url, json={"outcome": "recovery"}).status_code == 200


def test_the_form_of_a_new_visit_shows_what_is_wrong_with_what_it_does_not_show(
    client: TestClient, session: Session
) -> None:
    patient = registered(session).id
    session.execute(text("update patient set death_date = '2026-11-20' where id = :key"), {"key": patient})
    answer = client.post("/visits", data={"patient_id": str(patient), "visit_reason": "disease", "place": "polyclinic"})
    assert answer.status_code == 422
    assert "вне времени жизни" in answer.text
