"""The inbox: what devices state, candidates, matching by hand and taking it back, raw messages, devices' codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.orders.inbox import repository
from operational.domains.orders.receiving_schemas import LabMessage, LabReport, LabValue, StatedPerson, stated
from operational.domains.patients.models import Patient
from operational.kit.access import Scope
from operational.kit.errors import constraint_of
from tests.operational.orders.factories import (
    count,
    create_device,
    create_device_result,
    create_message,
    create_study,
)
from tests.operational.orders.test_ordering import number_of, placed
from tests.operational.patients.builders import registered
from tests.operational.stage import NOW, browser

BORN = date(1987, 3, 4)


def said(patient: Patient | None = None, *numbers: str, **values: Any) -> dict[str, Any]:
    """What an analyser says: the person as it knows him, and one value."""
    person = StatedPerson(
        surname=patient.surname if patient else "БЕЛГІСІЗ", given_name=patient.given_name if patient else "АДАМ",
        birth_date=patient.birth_date if patient else BORN, **values,
    )  # fmt: skip
    value = LabValue(device_code="Hb", device_name="Haemoglobin", kind="numeric", number=Decimal(101), unit="g/L")
    report = LabReport(filler_number="F-1", accession_numbers=numbers, issued_at=NOW, collected_at=NOW, values=(value,))
    return stated(LabMessage(control_id="C1", sent_at=NOW, person=person, reports=(report,)))


@pytest.fixture
def patient(session: Session) -> Patient:
    """A person whom nobody else in the store is called like."""
    return registered(session, surname="Ертайқызы", given_name="Нұршат", birth_date=BORN, sex="F")


def test_candidates_by_number_iin_and_name(
    client: TestClient, session: Session, world: dict[str, int], patient: Patient
) -> None:
    device = create_device(session, world["polyclinic"])
    order = placed(client, patient.id, tests=["HGB"])
    number = number_of(session, order)
    by_number = create_message(session, world["polyclinic"], device, stated=said(None, number), raw_sha256="1")
    by_iin = create_message(session, world["polyclinic"], device, stated=said(None, iin=patient.iin), raw_sha256="2")
    by_name = create_message(session, world["polyclinic"], device, stated=said(patient), raw_sha256="3")
    nobody = create_message(session, world["polyclinic"], device, stated=said(), raw_sha256="4")
    for message, ground in (
        (by_number, "по номеру заказа"), (by_iin, "по ИИН"), (by_name, "по ФИО и дате рождения"),
    ):  # fmt: skip
        page = client.get(f"/inbox/messages/{message.id}").text
        assert ground in page and "Ертайқызы Нұршат" in page
    page = client.get(f"/inbox/messages/{nobody.id}").text
    assert "Похожих пациентов не найдено" in page and "БЕЛГІСІЗ" in page and "Пациент не найден" in page


@pytest.mark.requirement("LEQ-06")
def test_a_message_is_matched_by_hand_and_taken_back(
    client: TestClient, client_kk: TestClient, session: Session, world: dict[str, int], patient: Patient
) -> None:
    device = create_device(session, world["polyclinic"])
    order = placed(client, patient.id, tests=["HGB"])
    stranger = placed(client, registered(session, surname="Бөтенов").id, tests=["HGB"])
    message = create_message(session, world["polyclinic"], device, stated=said(patient))
    url = f"/inbox/messages/{message.id}"
    assert "БЕЛГІСІЗ" not in client.get("/inbox/messages").text and "Ертайқызы" in client.get("/inbox/messages").text
    chosen = client.post(f"{url}/choose", data={"patient_id": str(patient.id)}).text
    assert f'value="{order}"' in chosen and number_of(session, order) in chosen
    nobody = client_kk.post(f"{url}/match", data={"patient_id": ""})
    assert nobody.status_code == 422 and "Пациентті таңдаңыз" in nobody.text
    wrong = client.post(f"{url}/match", data={"patient_id": str(patient.id), "order_id": str(stranger)})
    assert wrong.status_code == 422 and "другого пациента" in wrong.text
    right = {"patient_id": str(patient.id), "order_id": str(order)}
    assert client.post(f"{url}/match", data=right).status_code == 303
    assert client.post(f"{url}/match", data=right).status_code == 409
    live = "select count(*) from lab_result where patient_id = :p and voided_at is null"
    assert count(session, live, p=patient.id) == 1
    assert "101" in client.get(f"/orders/{order}").text and "Выполн" in client.get(f"/orders/{order}").text
    assert "Ертайқызы" in client.get(url).text
    assert url in client.get("/inbox/done").text
    assert client.post(f"{url}/unmatch", data={"reason": ""}).status_code == 422
    assert client.post(f"{url}/unmatch", data={"reason": "Басқа адам екен"}).status_code == 303
    assert count(session, live, p=patient.id) == 0
    assert "Сопоставление отменено вручную" in client.get(url).text


def test_a_study_is_matched_by_hand_and_taken_back(
    client: TestClient, session: Session, settings: Settings, world: dict[str, int], patient: Patient
) -> None:
    order = placed(client, patient.id, category="imaging", modality="CT", tests=[])
    person = said(patient)["person"]
    study, _ = create_study(session, settings.root, world["polyclinic"], slices=1, stated={"person": person})
    url = f"/inbox/studies/{study.id}"
    assert "Ертайқызы" in client.get("/inbox").text
    assert "по ФИО и дате рождения" in client.get(url).text
    right = {"patient_id": str(patient.id), "order_id": str(order)}
    assert client.post(f"{url}/match", data=right).status_code == 303
    assert f'href="/images/{study.id}"' in client.get(f"/orders/{order}").text
    assert client.post(f"{url}/unmatch", data={"reason": "Қате адам"}).status_code == 303
    assert f'href="/images/{study.id}"' not in client.get(f"/orders/{order}").text
    assert client.post(f"{url}/dismiss", data={"reason": "Сынақ суреті"}).status_code == 303
    assert url not in client.get("/inbox").text
    assert url in client.get("/inbox/done").text
    assert client.post(f"{url}/restore", data={"reason": "Керек екен"}).status_code == 303
    assert url in client.get("/inbox").text


def test_quarantine_is_read_dismissed_and_brought_back(
    client: TestClient, client_kk: TestClient, session: Session, settings: Settings, world: dict[str, int]
) -> None:
    device = create_device(session, world["polyclinic"])
    raw = settings.spool_dir / "hl7v2" / "inbox-test.hl7"
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_bytes("MSH|^~\\&|HEMA\rPID|1||X||Серик<script>^А\r".encode("cp1251"))
    message = create_message(
        session, world["polyclinic"], device, status="quarantined", problem="truncated",
        raw_path=str(raw.relative_to(settings.root)), stated={},
    )  # fmt: skip
    url = f"/inbox/messages/{message.id}"
    assert "Хабарлама толық емес" in client_kk.get("/inbox/quarantine").text
    shown = client.get(f"{url}/raw").text
    assert ("<b>PID</b>" in shown and "Серік&lt;script&gt;" in shown) or "Сер" in shown
    assert "<script>^" not in shown
    audited = "select count(*) from audit_event where action = 'device_message.opened' and object_id = :k"
    assert count(session, audited, k=message.id) == 1
    refused = client.post(f"{url}/match", data={"patient_id": "1"})
    assert refused.status_code == 409 and "нечего записывать" in refused.text
    assert client.post(f"{url}/dismiss", data={"reason": "Сынақ"}).status_code == 303
    assert url not in client.get("/inbox/quarantine").text
    assert client.post(f"{url}/restore", data={"reason": "Қайта қарау"}).status_code == 303
    assert url in client.get("/inbox/quarantine").text
    raw.unlink()
    assert client.get(f"{url}/raw").status_code == 404


def test_the_tile_counts_what_waits(
    client: TestClient, session: Session, settings: Settings, world: dict[str, int]
) -> None:

    before = repository.count_waiting(session)
    device = create_device(session, world["polyclinic"])
    create_message(session, world["polyclinic"], device, stated=said())
    create_study(session, settings.root, world["polyclinic"], slices=1)
    assert repository.count_waiting(session) == before + 2


def test_the_inbox_of_another_organisation_is_not_seen(
    client: TestClient, session: Session, world: dict[str, int], acting_in: Callable[[int], TestClient]
) -> None:
    message = create_message(session, world["polyclinic"], create_device(session, world["polyclinic"]), stated=said())
    other = acting_in(world["other"])
    assert other.get(f"/inbox/messages/{message.id}").status_code == 404
    assert other.post(f"/inbox/messages/{message.id}/dismiss", data={"reason": "Бөтен"}).status_code == 404
    assert "БЕЛГІСІЗ" not in other.get("/inbox/messages").text


def test_reading_the_inbox_is_not_resolving(
    settings: Settings, scope: Scope, session: Session, directories: None, world: dict[str, int]
) -> None:
    message = create_message(session, world["polyclinic"], create_device(session, world["polyclinic"]), stated=said())
    reader = browser(settings, replace(scope, permissions=scope.permissions - {"inbox.resolve"}), session)
    assert reader.get(f"/inbox/messages/{message.id}").status_code == 200
    assert reader.post(f"/inbox/messages/{message.id}/dismiss", data={"reason": "Сынақ"}).status_code == 403


# --- devices -------------------------------------------------------------------------------------

FORM = {
    "code": "HEM-9", "name_kk": "Гематология анализаторы", "name_ru": "Гематологический анализатор",
    "kind": "analyser", "protocol": "hl7v2", "address": "HEMA9|LAB",
}  # fmt: skip


def device_form(world: dict[str, int], **values: str) -> dict[str, str]:
    return FORM | {"organisation_id": str(world["polyclinic"])} | values


def test_a_device_is_added_changed_and_switched_off(
    client: TestClient, client_kk: TestClient, session: Session, world: dict[str, int]
) -> None:
    answer = client.post("/devices/new", data=device_form(world))
    assert answer.status_code == 303
    url = answer.headers["location"]
    assert "HEMA9|LAB" in client.get("/devices").text
    assert client.post(url, data=device_form(world, address="HEMA9|NEW")).status_code == 303
    assert "HEMA9|NEW" in client.get(url).text
    assert client.post(f"{url}/off").status_code == 303
    assert "Ажыратылған" in client_kk.get("/devices").text
    assert client.post(f"{url}/on").status_code == 303


@pytest.mark.parametrize(
    ("values", "status", "ru"),
    [
        ({"code": "HEM-T"}, 409, "с таким кодом уже есть"),
        ({"address": "HEMA|TEST"}, 409, "занят другим"),
        ({"address": "HEMA"}, 422, "приложение|учреждение"),
        ({"kind": "modality"}, 422, "по DICOM"),
        ({"protocol": "dicom", "kind": "modality", "address": "A" * 17, "modality": "CT"}, 422, "1–16"),
        ({"protocol": "dicom", "kind": "modality", "address": "КТ", "modality": "CT"}, 422, "1–16"),
        ({"protocol": "dicom", "kind": "modality", "address": "CT1"}, 422, "нет в справочнике"),
        ({"organisation_id": "999999"}, 422, "вне ваших полномочий"),
        ({"name_kk": ""}, 422, "Заполните"),
    ],
)
def test_a_bad_device_is_refused(
    client: TestClient, session: Session, world: dict[str, int], values: dict[str, str], status: int, ru: str
) -> None:
    create_device(session, world["polyclinic"])
    answer = client.post("/devices/new", data=device_form(world, **values))
    assert answer.status_code == status
    assert ru in answer.text


def test_mapping_a_code_fills_the_values_that_waited(
    client: TestClient, session: Session, world: dict[str, int], patient: Patient
) -> None:
    device = create_device(session, world["polyclinic"])
    other_device = create_device(session, world["polyclinic"], code="HEM-2", address="HEMA|TWO")
    one, two, three = (
        create_message(session, world["polyclinic"], owner, stated=said(), raw_sha256=digest)
        for owner, digest in ((device, "a"), (device, "b"), (other_device, "c"))
    )
    low = create_device_result(session, world["polyclinic"], patient.id, one, "Hb", "90")
    kept = create_device_result(
        session, world["polyclinic"], patient.id, two, "Hb", "120", interpretation="H", reference_high=1
    )
    foreign = create_device_result(session, world["polyclinic"], patient.id, three, "Hb", "100")
    url = f"/devices/{device.id}"
    page = client.get(url).text
    assert "Несопоставленные коды" in page and "<b>Hb</b>" in page
    bad = client.post(f"{url}/codes", data={"device_code": "Hb", "test_code": "NOPE"})
    assert bad.status_code == 422
    assert client.post(f"{url}/codes", data={"device_code": "Hb", "test_code": "HGB"}).status_code == 303
    session.expire_all()
    assert (low.test_code, low.interpretation, low.reference_low) == ("HGB", "L", Decimal(117))
    assert (kept.test_code, kept.interpretation, kept.reference_high) == ("HGB", "H", Decimal(1))
    assert foreign.test_code is None
    assert "<b>Hb</b>" not in client.get(url).text
    again = client.post(f"{url}/codes", data={"device_code": "Hb", "test_code": "HGB"})
    assert again.status_code == 409 and "уже сопоставлен" in again.text
    # The value stands in the course of the test now.
    assert (
        "curve-dot" in client.get(f"/results/{low.report_id}/trend/HGB").text
        or "curve-bad" in client.get(f"/results/{low.report_id}/trend/HGB").text
    )


def test_the_database_refuses_a_bad_device(session: Session, world: dict[str, int]) -> None:
    insert = text(
        "insert into device (organisation_id, code, name_kk, name_ru, kind, protocol, address)"
        " values (:o, :c, 'x', 'x', :k, 'dicom', :a)"
    )
    for values, constraint in (
        ({"a": "A" * 17}, "ck_device_aet"), ({"k": "toaster"}, "ck_device_kind"),
    ):  # fmt: skip
        row = {"o": world["polyclinic"], "c": "Q", "k": "modality", "a": "AET"} | values
        with pytest.raises(IntegrityError) as refused, session.begin_nested():
            session.execute(insert, row)
        assert constraint_of(refused.value) == constraint
