"""The hospital's screens: every page in both languages, and the way of a patient through the forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.catalogs.models import CodedValue
from operational.domains.identity.roles import role_definitions
from operational.domains.inpatient import epicrisis, repository, timeline
from operational.domains.inpatient.schemas import Measure, Operate
from operational.domains.patients import dying
from operational.domains.patients import timeline as person_timeline
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from tests.operational.inpatient.factories import (
    ADMITTED,
    NOW,
    OPERATION,
    Hospital,
    create_discharged,
    create_presentation,
    create_stay,
    discharge_of,
    stays_of,
)
from tests.operational.patients.builders import registered
from tests.operational.stage import browser

HERE = re.compile(r"/(\d+)$")


def key_of(answer: Any, address: str) -> int:
    """The key of what a form made: it leads to its page."""
    assert answer.status_code == 303, (answer.status_code, errors_of(answer))
    found = HERE.search(answer.headers["location"])
    assert found and answer.headers["location"].startswith(address)
    return int(found[1])


def errors_of(answer: Any) -> list[str]:
    return re.findall(r'class="field-error"[^>]*>([^<]+)<', answer.text)


@pytest.fixture
def codes(session: Session) -> None:
    """A few entries of the small directories."""
    for directory, code, name_kk, name_ru in (
        ("arrival_channel", "ambulance", "Жедел жәрдем жеткізді", "Доставлен скорой помощью"),
        ("bed_profile", "surgical", "Хирургиялық", "Хирургический"),
        ("bed_profile", "intensive_care", "Реанимациялық", "Реанимационный"),
        ("refusal_reason", "no_indication", "Көрсетілім жоқ", "Нет показаний"),
        ("stay_condition", "moderate", "Орташа ауыр", "Средней тяжести"),
        ("blood_component", "red_cells", "Эритроциттік компонент", "Эритроцитсодержащий компонент"),
    ):
        session.add(CodedValue(directory_code=directory, code=code, name_kk=name_kk, name_ru=name_ru))
    session.flush()


def pages(session: Session, hospital: Hospital) -> Iterator[str]:
    waiting = create_presentation(session, hospital, triage_zone="yellow", systolic=95, diastolic=60)
    stay = create_stay(session, hospital, bed="4")
    stays_of(session).measure(
        stay.id, Measure(measured_at=NOW, temperature=Decimal("38.2"), pulse=92, systolic=120, diastolic=80)
    )
    gone = create_discharged(session, hospital)
    yield from ("/admission", "/admission?zone=yellow", "/admission/journal", "/admission/new", "/wards")
    yield f"/admission/new?patient={waiting.patient_id}"
    yield "/admission/new?unknown=1"
    for part in ("", "/admit", "/decide/refused", "/decide/transferred", "/decide/left", "/decide/died", "/print"):
        yield f"/admission/{waiting.id}{part}"
    for part in ("", "/diagnose", "/move", "/operation", "/transfusion", "/sheet", "/discharge"):
        yield f"/stays/{stay.id}{part}"
    yield from (f"/stays/{gone.id}", f"/stays/{gone.id}/epicrisis", f"/stays/{gone.id}/discharge")
    yield f"/admission/{gone.presentation_id}"


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_every_page_in_both_languages(
    session: Session, settings: Settings, scope: Scope, hospital: Hospital, codes: None, language: str
) -> None:
    client = browser(settings, scope, session, language=language)
    for address in pages(session, hospital):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "⟦" not in answer.text, address
        assert f'lang="{language}"' in answer.text


@pytest.mark.requirement("ADM-07", "ADM-08", "INP-67", "INP-70", "INP-71")
def test_a_patient_through_all_forms(client: TestClient, session: Session, hospital: Hospital, codes: None) -> None:
    patient = registered(session, surname="Сәрсенов", given_name="Болат", sex="M")
    answer = client.post("/admission/new", data={
        "patient_id": patient.id, "department_id": hospital.admission, "admission_type": "emergency",
        "arrived_at": "2026-11-24T08:00", "arrival_channel": "ambulance", "spo2": "88", "triage_zone": "",
        "complaint": "Ентігу",
    })  # fmt: skip
    presentation = key_of(answer, "/admission/")
    board = client.get("/admission").text
    assert 'id="zone-red"' in board and "Сәрсенов Болат" in board and "6:00" in board
    seen = client.post(f"/admission/{presentation}/seen", data={"seen_at": "2026-11-24T08:10", "icd10_code": "J06.9"})
    assert seen.status_code == 303
    stay = key_of(client.post(f"/admission/{presentation}/admit", data={
        "admitted_at": "2026-11-24T08:30", "department_id": hospital.surgery, "bed_profile": "surgical", "ward": "3",
        "bed": "12", "practitioner_id": hospital.doctor, "icd10_code": "J06.9", "condition": "moderate",
        "financing_source": "gobmp",
    }), "/stays/")  # fmt: skip
    assert "Сәрсенов Болат" not in client.get("/admission").text
    wards = client.get("/wards").text
    assert "Сәрсенов Болат" in wards and "койка 12" in wards
    found = client.post("/wards", data={"q": "сарсенов", "department": hospital.surgery, "sort": "name"})
    assert "Сәрсенов Болат" in found.text
    assert "Сәрсенов" not in client.post("/wards", data={"q": "", "department": hospital.intensive}).text
    moved = client.post(f"/stays/{stay}/move", data={
        "started_at": "2026-11-24T09:00", "department_id": hospital.intensive, "bed_profile": "intensive_care",
        "bed": "1",
    })  # fmt: skip
    assert moved.status_code == 303
    operated = client.post(f"/stays/{stay}/operation", data={
        "operation_code": OPERATION, "started_at": "2026-11-24T10:00", "ended_at": "2026-11-24T11:00",
        "surgeon_id": hospital.doctor, "urgency": "emergency", "anaesthesia": "general",
    })  # fmt: skip
    assert operated.status_code == 303
    given = client.post(f"/stays/{stay}/transfusion", data={
        "component": "red_cells", "volume_ml": "300", "blood_group": "AB", "rhesus": "-", "unit_number": "K-77",
        "indication": "Кровопотеря", "started_at": "2026-11-24T11:10", "practitioner_id": hospital.doctor,
    })  # fmt: skip
    assert given.status_code == 303
    measured = client.post(f"/stays/{stay}/sheet", data={
        "measured_at": "2026-11-24T12:00", "temperature": "38,6", "pulse": "104", "systolic": "110", "diastolic": "70",
    })  # fmt: skip
    assert measured.status_code == 303
    sheet = client.get(f"/stays/{stay}/sheet").text
    assert "<polyline" in sheet and "38,6" in sheet and "<title>24.11.2026 12:00 · 110/70</title>" in sheet
    page = client.get(f"/stays/{stay}").text
    for said in ("Реанимация", "Аппендэктомия", "K-77", "AB Rh-", "12:00"):
        assert said in page, said
    form = client.get(f"/stays/{stay}/discharge").text
    for said in ("Поступил экстренно: 24.11.2026 08:30", "Отделение реанимации (24.11.2026 09:00)", "Аппендэктомия",
                 "эритроцитсодержащий компонент, 300 мл"):  # fmt: skip
        assert said in form, said
    done = client.post(f"/stays/{stay}/discharge", data={
        "discharged_at": "2026-11-24T13:30", "outcome": "discharged", "treatment_result": "improvement",
        "icd10_code": "I10", "epicrisis": "Состояние улучшилось.", "recommendations": "Наблюдение",
    })  # fmt: skip
    assert done.status_code == 303, errors_of(done)
    paper = client.get(f"/stays/{stay}/epicrisis").text
    assert "Состояние улучшилось." in paper and "Гипертензия" in paper
    card = client.get(f"/patients/{patient.id}?kind=stay")
    assert card.status_code == 200
    assert "Сәрсенов Болат" in client.post("/wards", data={"state": "discharged"}).text


def test_refusal_is_printed_in_both_languages(
    client: TestClient, kazakh: TestClient, session: Session, hospital: Hospital, codes: None
) -> None:
    row = create_presentation(session, hospital)
    answer = client.post(f"/admission/{row.id}/decide/refused", data={
        "decided_at": "2026-11-24T13:00", "refusal_reason": "no_indication", "note": "Лечение на дому",
    })  # fmt: skip
    assert answer.status_code == 303
    paper = client.get(f"/admission/{row.id}/print").text
    assert "Заключение об отказе в госпитализации" in paper and "Нет показаний" in paper and "Лечение на дому" in paper
    assert "Емдеуге жатқызудан бас тарту туралы қорытынды" in kazakh.get(f"/admission/{row.id}/print").text
    journal = client.post(
        "/admission/journal", data={"since": "23.11.2026", "until": "24.11.2026", "decision": "refused"}
    )
    assert f'href="/admission/{row.id}"' in journal.text
    other = client.post("/admission/journal", data={"since": "23.11.2026", "until": "24.11.2026", "decision": "left"})
    assert f'href="/admission/{row.id}"' not in other.text
    back = client.post(f"/admission/{row.id}/take-back", data={"reason": ""})
    assert back.status_code == 422 and "Укажите причину" in back.text
    assert client.post(f"/admission/{row.id}/take-back", data={"reason": "передумал"}).status_code == 303


def test_unknown_person_is_registered_with_the_presentation(
    client: TestClient, session: Session, hospital: Hospital
) -> None:
    data = {"unknown": "1", "sex": "M", "looks": "Около 40 лет", "department_id": hospital.admission,
            "admission_type": "emergency", "arrived_at": "2026-11-24T13:00",
            "arrival_channel": "ambulance"}  # fmt: skip
    wrong = client.post("/admission/new", data=data | {"department_id": ""})
    assert wrong.status_code == 422 and "⟦" not in wrong.text
    key = key_of(client.post("/admission/new", data=data), "/admission/")
    row = repository.presentation(session, key)
    patient = repository.patient(session, row.patient_id) if row else None
    assert patient is not None and (patient.identity_kind, patient.sex) == ("unknown", "M")


def test_the_rule_proposes_a_zone_as_values_are_typed(client: TestClient, hospital: Hospital) -> None:
    assert "Красная зона" in client.post("/admission/triage", data={"spo2": "85", "pulse": ""}).text
    assert "Жёлтая зона" in client.post("/admission/triage", data={"temperature": "38,5"}).text
    assert "Зона не определена" in client.post("/admission/triage", data={"pulse": "много"}).text


def test_epicrisis_is_written_in_the_language_of_its_reader(session: Session, hospital: Hospital, codes: None) -> None:
    stay = create_stay(session, hospital)
    written = epicrisis.write(session, stay, "Омарова Әлия", "36 жас", "kk", "Asia/Oral")
    assert written.splitlines()[1] == "Шұғыл түсті: 23.11.2026 09:00. Түсу жолы: Жедел жәрдем жеткізді."
    assert "Жағдайы" not in written and "Шыққандағы жағдайы: Орташа ауыр." in written


def test_correction_needs_a_reason_and_keeps_what_was_typed(
    client: TestClient, session: Session, hospital: Hospital
) -> None:
    stay = create_discharged(session, hospital)
    data = {"discharged_at": "2026-11-24T13:00", "outcome": "discharged", "treatment_result": "recovery",
            "icd10_code": "I10", "epicrisis": "Толық сауықты."}  # fmt: skip
    assert client.post(f"/stays/{stay.id}/discharge", data=data).status_code == 409
    refused = client.post(f"/stays/{stay.id}/discharge", data=data | {"reason": "x"})
    assert refused.status_code == 422 and "Толық сауықты." in refused.text
    assert client.post(f"/stays/{stay.id}/discharge", data=data | {"reason": "нақтыланды"}).status_code == 303
    assert "версия 2" in client.get(f"/stays/{stay.id}").text


def test_death_in_the_ward_is_on_the_card(client: TestClient, session: Session, hospital: Hospital) -> None:
    stay = create_stay(session, hospital)
    data = {"discharged_at": "2026-11-24T13:00", "outcome": "died", "treatment_result": "death", "icd10_code": "I10",
            "epicrisis": "Қайтыс болды."}  # fmt: skip
    missing = client.post(f"/stays/{stay.id}/discharge", data=data)
    assert missing.status_code == 422 and "Заполните" in "".join(errors_of(missing))
    assert client.post(f"/stays/{stay.id}/discharge", data=data | {"underlying_icd10": "I10"}).status_code == 303
    death = dying.death_of_person(session, stay.patient_id)
    assert death is not None and client.get(f"/deaths/{death.id}").status_code == 200
    card = client.get(f"/patients/{stay.patient_id}").text
    assert "24.11.2026" in card and "умер" in card.lower()


def test_a_nurse_measures_and_does_nothing_else(
    session: Session, settings: Settings, scope: Scope, hospital: Hospital
) -> None:
    stay = create_stay(session, hospital)
    rights = frozenset(role_definitions()["nurse"].permissions)
    nurse = browser(settings, replace(scope, permissions=rights), session)
    session.info["scope"] = replace(scope, permissions=rights)
    assert nurse.get(f"/stays/{stay.id}").status_code == 200
    assert nurse.post(f"/stays/{stay.id}/sheet", data={"pulse": "80"}).status_code == 303
    for address in ("move", "operation", "transfusion", "discharge", "diagnose", "condition", "void"):
        assert nurse.post(f"/stays/{stay.id}/{address}", data={"reason": "abc"}).status_code == 403, address
    row = repository.diagnoses(session, stay.id)[0].diagnosis
    assert nurse.post(f"/stays/{stay.id}/diagnoses/{row.id}/void", data={"reason": "abc"}).status_code == 403
    assert nurse.post("/admission/new", data={}).status_code == 403


def test_another_organisation_sees_nothing(
    settings: Settings, scope: Scope, world: dict[str, int], session: Session, hospital: Hospital
) -> None:
    """The rows are written by the polyclinic; the same transaction then acts for the other organisation."""
    stay = create_stay(session, hospital)
    waiting = create_presentation(session, hospital)
    stranger = replace(
        scope, user_id=world["other_user"], organisation_ids=frozenset({world["other"]}),
        home_organisation_id=world["other"], practitioner_id=world["other_practitioner"],
    )  # fmt: skip
    apply_scope(session, stranger)
    session.expunge_all()
    client = browser(settings, stranger, session)
    for address in (f"/stays/{stay.id}", f"/stays/{stay.id}/epicrisis", f"/admission/{waiting.id}"):
        assert client.get(address).status_code == 404, address
    assert client.post(f"/stays/{stay.id}/sheet", data={"pulse": "80"}).status_code == 404
    assert client.get(f"/api/inpatient/stays/{stay.id}").status_code == 404
    assert "Өмірбек" not in client.get("/wards").text + client.get("/admission").text


def test_lists_are_sorted_and_paged(client: TestClient, session: Session, hospital: Hospital) -> None:
    for number in range(27):
        patient = registered(session, surname=f"Тізімов{'абвгдежзиклмнопрстуфхцчшэюя'[number]}", sex="M")
        create_stay(session, hospital, patient, admitted_at=ADMITTED + timedelta(minutes=number))
    first = client.post("/wards", data={"sort": "name"}).text
    assert first.index("Тізімова ") < first.index("Тізімовб ") and "Тізімовя" not in first
    last = client.post("/wards", data={"sort": "name", "page": "2"}).text
    assert "Тізімовя" in last and "Тізімова " not in last
    newest = client.post("/wards", data={"sort": "admitted_at:desc"}).text
    assert newest.index("Тізімовя") < newest.index("Тізімовю")


def test_card_shows_the_hospital_and_the_death(
    client: TestClient, kazakh: TestClient, session: Session, hospital: Hospital
) -> None:
    timeline.register()
    person_timeline.register()
    stay = create_stay(session, hospital)
    stays = stays_of(session)
    at = ADMITTED + timedelta(hours=1)
    stays.operate(
        stay.id,
        Operate(operation_code=OPERATION, started_at=at, surgeon_id=hospital.doctor, urgency="urgent",
                anaesthesia="local"),
    )  # fmt: skip
    card = client.get(f"/patients/{stay.patient_id}").text
    for said in ("Госпитализация · J06.9", stay.case_number, "Находится в стационаре", "Аппендэктомия"):
        assert said in card, said
    stays.discharge(stay.id, discharge_of(outcome="died", treatment_result="death", underlying_icd10="I10"))
    card = kazakh.get(f"/patients/{stay.patient_id}").text
    assert "Қайтыс болу · I10" in card and "⟦" not in card
    refused = create_presentation(session, hospital)
    assert "Шешім күтуде" in kazakh.get(f"/patients/{refused.patient_id}?kind=presentation").text
