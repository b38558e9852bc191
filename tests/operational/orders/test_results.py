"""Results by hand: intervals, interpretation, confirmation, correction, void, refusals; by screens and database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.catalogs.models import LabReferenceInterval
from operational.domains.orders import curve
from operational.domains.orders.intervals import Interval, choose, interpret
from operational.domains.orders.models import LabResult
from operational.kit.access import Scope
from operational.kit.errors import constraint_of
from tests.operational.orders.factories import count
from tests.operational.orders.test_ordering import placed
from tests.operational.patients.builders import registered
from tests.operational.stage import NOW, browser

WOMAN = {"birth_date": date(1990, 5, 12), "sex": "F"}


def typed(client: TestClient, order: int, *, act: str = "confirm", **values: str) -> Response:
    """Send the form of results."""
    data = {"collected_date": "24.11.2026", "collected_time": "08:00", "act": act}
    answer: Response = client.post(f"/orders/{order}/results", data=data | values)
    return answer


def written(client: TestClient, order: int, *, act: str = "confirm", **values: str) -> int:
    """Write results and give the report's key."""
    answer = typed(client, order, act=act, **values)
    assert answer.status_code == 303, answer.text[-3000:]
    return int(answer.headers["location"].rsplit("/", 1)[1])


def values_of(client: TestClient, report: int) -> dict[str, dict[str, Any]]:
    """The values of a report by test."""
    return {row["test_code"]: row for row in client.get(f"/api/results/{report}").json()["results"]}


def status_of(client: TestClient, order: int) -> str:
    return str(client.get(f"/api/orders/{order}").json()["status"])


@pytest.mark.requirement("LAB-13", "LAB-15", "LAB-18", "LAB-23")
def test_values_are_written_read_against_sex_and_age_and_confirmed(client: TestClient, session: Session) -> None:
    woman = registered(session, **WOMAN)
    man = registered(session, surname="Сапаров", birth_date=date(1990, 5, 12), sex="M")
    found = {}
    for patient in (woman, man):
        order = placed(client, patient.id, tests=["HGB", "GLU", "HBSAG", "U_PH"])
        form = client.get(f"/orders/{order}/results").text
        assert ("117–155" if patient is woman else "132–173") in form
        report = written(client, order, value_HGB="120", value_GLU="<4,0", value_HBSAG="positive", value_U_PH="кислая")
        found[patient.sex] = values_of(client, report)
        assert status_of(client, order) == "completed"
        assert client.get(f"/api/results/{report}").json()["status"] == "final"
    assert [found[sex]["HGB"]["interpretation"] for sex in "FM"] == ["N", "L"]
    glucose = found["F"]["GLU"]
    assert (glucose["value_number"], glucose["comparator"], glucose["interpretation"]) == ("4.000000", "<", "L")
    assert (glucose["reference_low"], glucose["reference_high"], glucose["unit"]) == ("4.100000", "5.900000", "ммоль/л")
    assert (found["F"]["HBSAG"]["value_kind"], found["F"]["HBSAG"]["interpretation"]) == ("coded", "A")
    assert (found["F"]["U_PH"]["value_kind"], found["F"]["U_PH"]["value_text"]) == ("text", "кислая")


@pytest.mark.requirement("LAB-17", "LAB-21")
def test_a_preliminary_report_is_written_over_and_a_value_taken_out(client: TestClient, session: Session) -> None:
    order = placed(client, registered(session, **WOMAN).id, tests=["HGB", "GLU", "WBC"])
    report = written(client, order, act="save", value_HGB="120", value_GLU="5")
    assert status_of(client, order) == "in_progress"
    again = client.get(f"/orders/{order}/results").text
    assert f'name="report_id" value="{report}"' in again and 'value="120"' in again
    assert written(client, order, act="save", report_id=str(report), value_HGB="125", value_GLU="") == report
    assert {code: row["value_number"] for code, row in values_of(client, report).items()} == {"HGB": "125.000000"}
    assert client.post(f"/results/{report}/confirm").status_code == 303
    assert client.post(f"/results/{report}/confirm").status_code == 409
    assert typed(client, order, report_id=str(report), value_HGB="1").status_code == 409
    assert status_of(client, order) == "in_progress"
    rest = client.get(f"/orders/{order}/results").text
    assert "value_GLU" in rest and "value_HGB" not in rest
    second = written(client, order, value_GLU="5", value_WBC="6,1")
    assert second != report
    assert status_of(client, order) == "completed"


def test_a_correction_keeps_what_stood_before_in_the_feed(
    settings: Settings, scope: Scope, owner_session: Session, world: dict[str, int]
) -> None:
    session, client = owner_session, browser(settings, scope, owner_session)
    order = placed(client, registered(session, **WOMAN).id, tests=["HGB", "GLU"])
    report = written(client, order, value_HGB="90", value_GLU="5")
    base = {"collected_date": "24.11.2026", "collected_time": "08:00", "value_GLU": "5"}
    assert client.post(f"/results/{report}/correct", data=base | {"value_HGB": "130"}).status_code == 422
    unchanged = client.post(f"/results/{report}/correct", data=base | {"value_HGB": "90", "reason": "Тексеру"})
    assert unchanged.status_code == 422 and "Ничего не изменено" in unchanged.text
    answer = client.post(f"/results/{report}/correct", data=base | {"value_HGB": "130", "reason": "Үлгі ауысқан"})
    assert answer.status_code == 303
    found = values_of(client, report)
    assert (found["HGB"]["value_number"], found["HGB"]["interpretation"]) == ("130.000000", "N")
    assert (found["HGB"]["status"], found["GLU"]["status"]) == ("corrected", "final")
    assert client.get(f"/api/results/{report}").json()["status"] == "corrected"
    kept = session.execute(
        text(
            "select old_row ->> 'value_number' as old, new_row ->> 'value_number' as new, reason from change_feed"
            " where table_name = 'lab_result' and key = :k and operation = 'U' order by id desc limit 1"
        ),
        {"k": found["HGB"]["id"]},
    ).one()
    assert (Decimal(kept.old), Decimal(kept.new), kept.reason) == (Decimal(90), Decimal(130), "Үлгі ауысқан")


def test_void_and_restore(client: TestClient, session: Session) -> None:
    order = placed(client, registered(session, **WOMAN).id, tests=["HGB"])
    report = written(client, order, value_HGB="90")
    assert client.post(f"/orders/{order}/cancel", data={"reason": "Қажет емес"}).status_code == 409
    assert client.post(f"/results/{report}/void", data={"reason": "x"}).status_code == 422
    assert client.post(f"/results/{report}/void", data={"reason": "Басқа адам"}).status_code == 303
    assert status_of(client, order) == "active"
    page = client.get(f"/results/{report}").text
    assert "Внесён ошибочно" in page and "90" in page
    assert client.post(f"/results/{report}/void", data={"reason": "Басқа адам"}).status_code == 409
    assert client.post(f"/results/{report}/restore", data={"reason": "Дұрыс екен"}).status_code == 303
    assert status_of(client, order) == "completed"
    assert values_of(client, report)["HGB"]["value_number"] == "90.000000"
    client.post(f"/results/{report}/void", data={"reason": "Басқа адам"})
    written(client, order, value_HGB="120")
    again = client.post(f"/results/{report}/restore", data={"reason": "Дұрыс екен"})
    assert again.status_code == 409 and "уже есть значение" in again.text


@pytest.mark.parametrize(
    ("values", "ru"),
    [
        ({"value_HGB": "сто"}, "Напишите число"),
        ({"value_HGB": "1.2.3"}, "Напишите число"),
        ({"value_HBSAG": "maybe"}, "Выберите значение из списка"),
        ({"value_WBC": "5"}, "нет в заказе"),
        ({"value_NOPE": "5"}, "нет в справочнике"),
        ({"value_HGB": "120", "collected_date": "25.11.2026"}, "не может быть взят в будущем"),
        ({"value_HGB": "120", "collected_date": "01.01.1980"}, "вне времени жизни"),
        ({"value_HGB": "120", "collected_date": "32.13.2026"}, "ДД.ММ.ГГГГ"),
        ({"value_HGB": "120", "collected_time": "25:61"}, "ЧЧ:ММ"),
        ({}, "хотя бы одно значение"),
    ],
)
def test_a_bad_value_is_refused_at_its_field(
    client: TestClient, session: Session, values: dict[str, str], ru: str
) -> None:
    order = placed(client, registered(session, **WOMAN).id, tests=["HGB", "HBSAG"])
    answer = typed(client, order, **values)
    assert answer.status_code == 422
    assert ru in answer.text
    assert count(session, "select count(*) from diagnostic_report where order_id = :k", k=order) == 0


def test_every_wrong_field_has_its_message_in_kazakh(client_kk: TestClient, session: Session) -> None:
    order = placed(client_kk, registered(session, **WOMAN).id, tests=["HGB", "GLU"])
    page = typed(client_kk, order, value_HGB="көп", value_GLU="аз").text
    assert 'id="e-value_HGB"' in page and 'id="e-value_GLU"' in page
    assert page.count("Сан жазыңыз") == 2
    assert 'value="көп"' in page


def test_a_cancelled_order_gets_no_result(client: TestClient, session: Session, world: dict[str, int]) -> None:
    patient = registered(session, **WOMAN)
    order = placed(client, patient.id, tests=["HGB"])
    client.post(f"/orders/{order}/cancel", data={"reason": "Қажет емес"})
    answer = typed(client, order, value_HGB="120")
    assert answer.status_code == 409
    assert "Заказ отменён" in answer.text
    report = text(
        "insert into diagnostic_report (owner_organisation_id, patient_id, order_id, category, source, issued_at,"
        " collected_at) values (:o, :p, :k, 'laboratory', :s, :at, :collected)"
    )
    row = {"o": world["polyclinic"], "p": patient.id, "k": order, "s": "manual", "at": NOW, "collected": NOW}
    with pytest.raises(IntegrityError) as refused, session.begin_nested():
        session.execute(report, row)
    assert constraint_of(refused.value) == "ck_diagnostic_report_order_active"
    # What a device delivers is kept whatever became of the order.
    session.execute(report, row | {"s": "device"})
    with pytest.raises(IntegrityError, match="ck_diagnostic_report_collected"), session.begin_nested():
        session.execute(report, row | {"k": None, "at": date(2026, 11, 20)})
    with pytest.raises(IntegrityError, match="fk_diagnostic_report_order"), session.begin_nested():
        session.execute(report, row | {"p": registered(session, surname="Бөтенов").id, "s": "device"})


def test_the_database_keeps_one_value_of_a_test_in_a_report(client: TestClient, session: Session) -> None:
    order = placed(client, registered(session, **WOMAN).id, tests=["HGB"])
    report = written(client, order, value_HGB="120")
    again = text(
        "insert into lab_result (owner_organisation_id, report_id, patient_id, test_code, value_kind, value_number,"
        " observed_at) select owner_organisation_id, report_id, patient_id, test_code, value_kind, 7, observed_at"
        " from lab_result where report_id = :k"
    )
    with pytest.raises(IntegrityError, match="uq_lab_result_test"), session.begin_nested():
        session.execute(again, {"k": report})


@pytest.mark.requirement("LAB-22", "DOC-19")
def test_the_report_is_shown_printed_and_drawn(client: TestClient, client_kk: TestClient, session: Session) -> None:
    patient = registered(session, **WOMAN)
    for number in ("95", "118", "170"):
        order = placed(client, patient.id, tests=["HGB"])
        report = written(client, order, value_HGB=number)
    page = client.get(f"/results/{report}").text
    assert "Отклонений: 1" in page and 'data-mark="▲"' in page and "выше" in page and "117–155" in page
    paper = client_kk.get(f"/results/{report}/print").text
    assert "Зертханалық зерттеу нәтижесі" in paper and "жоғары" in paper and (patient.surname in paper)
    drawn = client.get(f"/results/{report}/trend/HGB").text
    assert drawn.count('class="curve-bad"') == 2 and drawn.count('class="curve-dot"') == 1
    assert "curve-range" in drawn
    assert client.get(f"/results/{report}/trend/NOPE").status_code == 404
    assert "Нет подтверждённых" in client.get(f"/results/{report}/trend/GLU").text
    for address in (f"/results/{report}", f"/results/{report}/correct", f"/results/{report}/trend/HGB"):
        assert "⟦" not in client_kk.get(address).text
    opened = text("select count(*) from audit_event where action = 'report.opened' and object_id = :k")
    assert session.execute(opened, {"k": report}).scalar() == 2


@pytest.mark.requirement("CARD-05")
def test_the_card_names_the_abnormal_values(client: TestClient, client_kk: TestClient, session: Session) -> None:
    from operational.domains.orders import timeline

    timeline.register()
    patient = registered(session, **WOMAN)
    order = placed(client, patient.id, tests=["HGB", "GLU"])
    report = written(client, order, value_HGB="90", value_GLU="5")
    page = client.get(f"/patients/{patient.id}").text
    assert f'href="/results/{report}"' in page and "Гемоглобин 90 г/л ▼" in page
    assert f'href="/orders/{order}"' in page and f'href="/orders/new?patient={patient.id}"' in page
    assert "Зертхана нәтижесі" in client_kk.get(f"/patients/{patient.id}").text


def test_who_ordered_sees_the_results_and_a_third_nothing(
    client: TestClient, session: Session, world: dict[str, int], acting_in: Callable[[int], TestClient]
) -> None:
    order = placed(
        client, registered(session, **WOMAN).id, tests=["HGB"], performing_organisation_id=str(world["other"])
    )
    performer = acting_in(world["other"])
    report = written(performer, order, value_HGB="120")
    owner = text("select owner_organisation_id from diagnostic_report where id = :k")
    assert session.execute(owner, {"k": report}).scalar() == world["other"]
    third = acting_in(world["region"])
    assert third.get(f"/results/{report}").status_code == 404
    orderer = acting_in(world["polyclinic"])
    assert "120" in orderer.get(f"/results/{report}").text
    assert status_of(orderer, order) == "completed"
    refused = orderer.post(f"/results/{report}/void", data={"reason": "Басқаның нәтижесі"})
    assert refused.status_code == 403


@pytest.mark.requirement("LAB-18")
def test_only_an_authorised_employee_confirms(
    settings: Settings, scope: Scope, session: Session, client: TestClient
) -> None:
    order = placed(client, registered(session, **WOMAN).id, tests=["HGB"])
    report = written(client, order, act="save", value_HGB="120")
    doctor = browser(settings, replace(scope, permissions=scope.permissions - {"results.write"}), session)
    assert "Подтвердить" not in doctor.get(f"/results/{report}").text
    for address in (f"/results/{report}/confirm", f"/results/{report}/correct", f"/orders/{order}/results"):
        assert doctor.post(address, data={"reason": "Тексеру", "value_HGB": "1"}).status_code == 403
    assert client.get(f"/api/results/{report}").json()["status"] == "preliminary"
    assert client.post(f"/api/results/{report}/confirm").json()["status"] == "final"


def test_an_imaging_order_is_described(client: TestClient, session: Session) -> None:
    order = placed(client, registered(session).id, category="imaging", modality="CT", tests=[])
    assert "Описание исследования" in client.get(f"/orders/{order}/results").text
    report = written(client, order, conclusion="Патология анықталмады")
    assert status_of(client, order) == "completed"
    assert "Патология анықталмады" in client.get(f"/results/{report}").text


# --- rules, without a database -------------------------------------------------------------------


def interval(sex: str, start: int, end: int | None, low: str | None, note: str | None = None) -> LabReferenceInterval:
    return LabReferenceInterval(
        test_code="HGB", sex=sex, age_from_days=start, age_to_days=end, low=Decimal(low) if low else None,
        high=None, note=note, source="t", valid_from=date(2010, 1, 1),
    )  # fmt: skip


ROWS = (
    interval("U", 0, 14, "134"), interval("U", 14, 5479, "110"), interval("F", 5479, None, "117"),
    interval("U", 5479, None, "1"), interval("F", 5479, 18262, "105", "беременные: порог"),
    interval("F", 5479, None, "2", "alternative adult interval"), interval("M", 5479, None, "3", "с примечанием"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("sex", "age", "pregnant", "low"),
    [
        ("F", 0, False, "134"), ("F", 13, False, "134"), ("F", 14, False, "110"), ("F", 5478, False, "110"),
        ("F", 5479, False, "117"), ("F", 9000, True, "105"), ("F", 20000, True, "117"), ("U", 9000, False, "1"),
        ("M", 9000, False, "1"), ("F", None, False, None),
    ],
)  # fmt: skip
def test_the_interval_of_sex_and_age(sex: str, age: int | None, pregnant: bool, low: str | None) -> None:
    found = choose(ROWS, sex, age, pregnant=pregnant)
    assert (found and found.low) == (Decimal(low) if low else None)


@pytest.mark.parametrize(
    ("value", "comparator", "low", "high", "flag"),
    [
        ("5", None, "4", "6", "N"), ("4", None, "4", "6", "N"), ("6", None, "4", "6", "N"),
        ("3.99", None, "4", "6", "L"), ("6.01", None, "4", "6", "H"), ("1", None, None, None, None),
        ("9", None, "4", None, "N"), ("4", "<", "4", "6", "L"), ("5", "<", "4", "6", None), ("5", "<", None, "6", "N"),
        ("6", ">", "4", "6", "H"), ("5", ">", "4", "6", None), ("5", ">=", "4", None, "N"), ("4", "<=", "4", "6", None),
    ],
)  # fmt: skip
def test_what_a_value_means(
    value: str, comparator: str | None, low: str | None, high: str | None, flag: str | None
) -> None:
    known = Interval(Decimal(low) if low else None, Decimal(high) if high else None)
    assert interpret(Decimal(value), comparator, known) == flag


def test_the_curve_keeps_order_and_range() -> None:
    rows = [
        LabResult(
            value_number=Decimal(value), observed_at=NOW.replace(day=day), reference_low=Decimal(4),
            reference_high=Decimal(6), interpretation=flag,
        )
        for day, value, flag in ((1, 3, "L"), (11, 5, "N"), (21, 7, "H"))
    ]  # fmt: skip
    drawn = curve.draw(rows)
    assert drawn is not None and drawn.band is not None
    xs, ys = [p.x for p in drawn.points], [p.y for p in drawn.points]
    assert xs == sorted(xs) and ys == sorted(ys, reverse=True)
    assert xs[1] == pytest.approx((xs[0] + xs[2]) / 2, abs=0.2)
    assert drawn.band[0] < ys[1] < drawn.band[0] + drawn.band[1]
    assert not drawn.band[0] < ys[0] < drawn.band[0] + drawn.band[1]
    assert curve.draw([]) is None
