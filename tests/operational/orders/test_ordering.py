"""Orders: made, listed, printed, cancelled, refused; by the service, the screens and the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from operational.domains.patients.models import Patient
from operational.kit.errors import constraint_of
from tests.operational.orders.factories import create_device
from tests.operational.patients.builders import registered
from tests.operational.stage import NOW


def order(client: TestClient, patient: int, **values: object) -> Response:
    """Send the form of an order."""
    answer: Response = client.post("/orders/new", data={"patient_id": str(patient), "category": "laboratory", **values})
    return answer


def placed(client: TestClient, patient: int, **values: object) -> int:
    """Make an order and give its key."""
    answer = order(client, patient, **({"tests": ["HGB", "GLU"]} | values))
    assert answer.status_code == 303, answer.text[-2000:]
    return int(answer.headers["location"].rsplit("/", 1)[1])


def number_of(session: Session, key: int) -> str:
    return str(
        session.execute(text("select accession_number from diagnostic_order where id = :k"), {"k": key}).scalar()
    )


@pytest.mark.requirement("LAB-02", "LAB-06", "LAB-09")
def test_an_order_of_tests_and_a_panel_gets_a_number_of_its_own(client: TestClient, session: Session) -> None:
    patient = registered(session)
    first = placed(client, patient.id, tests=["HGB", "GLU"], panels=["cbc"], priority="urgent", icd10_code="I10")
    second = placed(client, patient.id)
    numbers = {number_of(session, first), number_of(session, second)}
    assert len(numbers) == 2
    assert all(re.fullmatch(r"[A-Z0-9-]{1,16}", number) for number in numbers)
    codes = text("select test_code from order_test where order_id = :k order by test_code")
    assert [row.test_code for row in session.execute(codes, {"k": first})] == ["GLU", "HGB", "WBC"]
    row = session.execute(
        text("select patient_id, practitioner_id, department_id, priority, status from diagnostic_order where id = :k"),
        {"k": first},
    ).one()
    assert (row.patient_id, row.priority, row.status) == (patient.id, "urgent", "active")
    assert row.practitioner_id is not None and row.department_id is not None


@pytest.mark.requirement("LAB-04")
def test_the_list_is_narrowed_and_searched(client: TestClient, session: Session) -> None:
    one, other = registered(session, surname="Тілеубай"), registered(session, surname="Қонысбек")
    key = placed(client, one.id, priority="stat")
    placed(client, other.id, category="imaging", modality="CT")
    assert client.get("/orders").text.count("/orders/") >= 2

    def shown(**asked: str) -> tuple[bool, bool]:
        page = client.post("/orders", data=asked).text
        return "Тілеубай" in page, "Қонысбек" in page

    assert shown(category="laboratory") == (True, False)
    assert shown(priority="stat") == (True, False)
    assert shown(modality="CT") == (False, True)
    assert shown(status="completed") == (False, False)
    assert shown(q="Тілеубай") == (True, False)
    assert shown(q=one.iin or "") == (True, False)
    assert shown(q=number_of(session, key)) == (True, False)
    assert shown(date_to="23.11.2026") == (False, False)
    assert shown(date_from="24.11.2026", date_to="24.11.2026") == (True, True)
    assert client.post("/orders", data={"date_from": "2026"}).status_code == 422


@pytest.mark.requirement("LAB-05", "LAB-07")
def test_the_sheet_has_the_barcode_and_every_specimen(
    client: TestClient, client_kk: TestClient, session: Session
) -> None:
    patient = registered(session)
    key = placed(client, patient.id)
    page = client.get(f"/orders/{key}/sheet").text
    assert "Сопроводительный лист" in page and number_of(session, key) in page and (patient.iin or "") in page
    assert "Доставлен в лабораторию" in page
    # Five bars for each sign of the number, of the start and of the stop.
    assert page.count("<rect") == 5 * (len(number_of(session, key)) + 2)
    # A hand scanner types the number into the search.
    assert f'href="/orders/{key}"' in client.post("/orders", data={"q": number_of(session, key)}).text
    assert "Тапсырыстың ілеспе парағы" in client_kk.get(f"/orders/{key}/sheet").text


@pytest.mark.parametrize(
    ("values", "field", "ru"),
    [
        ({"tests": []}, "tests", "Выберите хотя бы одно исследование"),
        ({"tests": ["NOPE"]}, "tests", "Такого исследования нет в справочнике"),
        ({"category": "imaging"}, "modality", "Выберите вид аппарата"),
        ({"category": "imaging", "modality": "XX"}, "modality", "нет в справочнике"),
        ({"category": "imaging", "modality": "CT", "body_part": "TAIL"}, "body_part", "нет в справочнике"),
        ({"icd10_code": "X00.X"}, "icd10_code", "Такого кода МКБ-10 нет"),
        ({"performing_organisation_id": "999999"}, "performing_organisation_id", "не найдена"),
        ({"department_id": "999999"}, "department_id", "Отделение другой организации"),
        ({"category": "imaging", "modality": "CT", "scheduled_date": "01.01.2020"}, "scheduled_date", "уже прошло"),
        ({"category": "imaging", "modality": "CT", "scheduled_date": "завтра"}, "scheduled_date", "ДД.ММ.ГГГГ"),
        ({"category": "imaging", "modality": "CT", "station_aet": "NOBODY"}, "station_aet", "нет такой станции"),
        ({"ordered_at": "2026-12-01T10:00"}, "ordered_at", "не может быть в будущем"),
        ({"ordered_at": "1950-12-01T10:00"}, "ordered_at", "раньше рождения"),
    ],
)
def test_a_bad_order_is_refused_at_its_field(
    client: TestClient, session: Session, values: dict[str, object], field: str, ru: str
) -> None:
    patient = registered(session)
    answer = order(client, patient.id, **({"tests": ["HGB"]} | values))
    assert answer.status_code == 422
    assert ru in answer.text, answer.text
    # The form is shown again with what was typed.
    assert f'name="patient_id" value="{patient.id}"' in answer.text


def test_an_order_is_of_a_visible_living_person(client: TestClient, client_kk: TestClient, session: Session) -> None:
    assert order(client, 999_999, tests=["HGB"]).status_code == 404
    dead = registered(session, surname="Марқұмов", birth_date=date(1950, 1, 1))
    dead.death_date = date(2026, 11, 20)
    session.flush()
    answer = order(client_kk, dead.id, tests=["HGB"])
    assert answer.status_code == 422
    assert "тәуліктен соң тапсырыс берілмейді" in answer.text
    within = (NOW - timedelta(days=4)).isoformat()
    assert order(client, dead.id, tests=["HGB"], ordered_at=within).status_code == 303


def test_an_order_takes_no_other_patients_visit(client: TestClient, session: Session) -> None:
    patient, other = registered(session), registered(session, surname="Бөтенов")
    visit = client.post("/api/encounters", json={"patient_id": other.id}).json()["id"]
    answer = order(client, patient.id, tests=["HGB"], encounter_id=str(visit))
    assert answer.status_code == 422
    assert "к другому пациенту" in answer.text
    assert order(client, other.id, tests=["HGB"], encounter_id=str(visit)).status_code == 303


def test_the_database_refuses_what_the_service_would(
    session: Session, client: TestClient, world: dict[str, int]
) -> None:
    patient, other = registered(session), registered(session, surname="Бөтенов")
    visit = client.post("/api/encounters", json={"patient_id": other.id}).json()["id"]
    key = placed(client, patient.id)
    insert = (
        "insert into diagnostic_order (owner_organisation_id, patient_id, category, ordered_at{columns})"
        " values (:owner, :patient, 'laboratory', now(){values})"
    )
    base = {"owner": world["polyclinic"], "patient": patient.id}
    for columns, values, more, constraint in (
        (", accession_number", ", 'не номер'", {}, "ck_diagnostic_order_accession_number"),
        (", accession_number", ", :n", {"n": number_of(session, key)}, "uq_diagnostic_order_accession_number"),
        (", encounter_id", ", :v", {"v": visit}, "fk_diagnostic_order_encounter"),
        (", status", ", 'cancelled'", {}, "ck_diagnostic_order_cancelled"),
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
            session.execute(text(insert.format(columns=columns, values=values)), base | more)
    part = "insert into order_test (owner_organisation_id, order_id, patient_id, test_code) values (:o, :k, :p, :t)"
    row = {"o": world["polyclinic"], "k": key, "p": patient.id, "t": "WBC"}
    for change, constraint in (
        ({"t": "NOPE"}, "fk_order_test_test_code"), ({"p": other.id}, "fk_order_test_order"),
        ({"t": "HGB"}, "uq_order_test"),
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
            session.execute(text(part), row | change)


def test_the_database_refuses_an_order_long_after_the_death(session: Session, world: dict[str, int]) -> None:
    patient = registered(session, birth_date=date(1950, 1, 1))
    session.execute(
        text(
            "insert into death (owner_organisation_id, patient_id, died_at, place, underlying_icd10, registered_at)"
            " values (:o, :p, now() - interval '3 days', 'home', 'I10', now())"
        ),
        {"o": world["polyclinic"], "p": patient.id},
    )
    insert = text(
        "insert into diagnostic_order (owner_organisation_id, patient_id, category, ordered_at)"
        " values (:o, :p, 'laboratory', now() - cast(:ago as interval))"
    )
    row = {"o": world["polyclinic"], "p": patient.id}
    with pytest.raises(IntegrityError) as refused, session.begin_nested():
        session.execute(insert, row | {"ago": "1 day"})
    assert constraint_of(refused.value) == "ck_diagnostic_order_before_death"
    session.execute(insert, row | {"ago": "2 days 1 hour"})


def test_cancelled_with_a_reason_and_restored(client: TestClient, client_kk: TestClient, session: Session) -> None:
    key = placed(client, registered(session).id)
    answer = client_kk.post(f"/orders/{key}/cancel", data={"reason": ""})
    assert answer.status_code == 422
    assert "Себебін жазыңыз" in answer.text
    assert client.post(f"/orders/{key}/cancel", data={"reason": "Қате берілген"}).status_code == 303
    assert client.post(f"/orders/{key}/cancel", data={"reason": "Қате берілген"}).status_code == 409
    page = client.get(f"/orders/{key}").text
    assert "Отменён" in page and "Қате берілген" in page
    assert client.post(f"/orders/{key}/restore", data={"reason": "Керек екен"}).status_code == 303
    assert client.post(f"/orders/{key}/restore", data={"reason": "Керек екен"}).status_code == 409
    assert client.get(f"/api/orders/{key}").json()["status"] == "active"


def test_an_imaging_order_names_machine_station_and_time(
    client: TestClient, session: Session, world: dict[str, int]
) -> None:
    create_device(
        session, world["polyclinic"], code="CT-T", kind="modality", protocol="dicom", address="CT_TEST", modality="CT"
    )
    patient = registered(session)
    wanted = {"category": "imaging", "modality": "CT", "body_part": "CHEST", "station_aet": "CT_TEST",
              "scheduled_date": "25.11.2026", "scheduled_time": "09:30"}  # fmt: skip
    key = placed(client, patient.id, **wanted)
    row = session.execute(
        text("select modality, station_aet, scheduled_at from diagnostic_order where id = :k"), {"k": key}
    ).one()
    assert (row.modality, row.station_aet) == ("CT", "CT_TEST")
    assert row.scheduled_at.isoformat().startswith("2026-11-25T04:30")  # 09:30 in Oral
    refused = order(client, patient.id, **(wanted | {"modality": "US"}))
    assert refused.status_code == 422
    page = client.get(f"/orders/{key}").text
    assert "Компьютерная томография, Грудная клетка" in page and "25.11.2026 09:30" in page


def test_pages_in_both_languages(client: TestClient, client_kk: TestClient, session: Session) -> None:
    patient = registered(session)
    key = placed(client, patient.id)
    for address, ru, kk in (
        ("/orders", "Заказы исследований", "Зерттеу тапсырыстары"),
        (f"/orders/new?patient={patient.id}", "Общий анализ крови", "Жалпы қан талдауы"),
        (f"/orders/new?patient={patient.id}&category=imaging", "Вид аппарата", "Аппарат түрі"),
        (f"/orders/{key}", "Ожидается исследований: 2", "Күтілетін зерттеулер: 2"),
    ):
        for browser_, words in ((client, ru), (client_kk, kk)):
            answer = browser_.get(address)
            assert answer.status_code == 200
            assert words in answer.text
            assert "⟦" not in answer.text


def test_the_orders_of_two_organisations(
    client: TestClient, session: Session, world: dict[str, int], acting_in: Callable[[int], TestClient]
) -> None:
    """Who performs sees the order and its tests, a third organisation sees nothing."""
    patient: Patient = registered(session)
    key = placed(client, patient.id, performing_organisation_id=str(world["other"]))
    own = placed(client, patient.id)
    performer = acting_in(world["other"])
    page = performer.get(f"/orders/{key}")
    assert page.status_code == 200 and "Гемоглобин" in page.text
    assert performer.get(f"/orders/{own}").status_code == 404
    assert performer.post(f"/orders/{own}/cancel", data={"reason": "Бөтен"}).status_code == 404
    third = acting_in(world["region"])
    assert third.get(f"/orders/{key}").status_code == 404
    assert number_of(session, key) == "None"
