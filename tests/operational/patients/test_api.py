"""The register for programs: the same rules, refusals as problem+json, nothing about a person in an address."""

from __future__ import annotations

from datetime import date

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.patients import service
from operational.kit.access import Scope
from tests.operational.patients.builders import form_of, iin_of, registered
from tests.operational.patients.conftest import client_of


def _body(**values: object) -> dict[str, object]:
    return form_of(**values).model_dump(mode="json")


@pytest.mark.requirement("REG-04", "REG-07", "REG-08")
def test_register_read_edit(client: TestClient) -> None:
    answer = client.post("/api/patients", json=_body(patronymic="Серікқызы"))
    assert answer.status_code == 201
    made = answer.json()
    assert client.get(f"/api/patients/{made['id']}").json() == made
    changed = _body(iin=made["iin"], birth_date=date.fromisoformat(made["birth_date"]), surname="Тоқаева")
    answer = client.put(f"/api/patients/{made['id']}", json=changed | {"reason": "Неке туралы куәлік"})
    assert answer.status_code == 200
    assert answer.json()["surname"] == "Тоқаева"


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"iin": "850314300014"}, "iin", "Контрольная цифра"),
        ({"birth_date": date(2026, 11, 25)}, "birth_date", "в будущем"),
        ({"surname": ""}, "surname", "Заполните"),
    ],
)
def test_bad_input_is_a_problem_at_its_field(
    client: TestClient, values: dict[str, object], field: str, message: str
) -> None:
    answer = client.post("/api/patients", json=_body(**values))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["field"] == field
    assert message in answer.json()["detail"]


def test_several_bad_fields(client: TestClient) -> None:
    answer = client.post("/api/patients", json=_body(surname="", phone="12"))
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {"surname", "phone"}


@pytest.mark.requirement("REG-09")
def test_existing_iin_and_possible_duplicate_are_conflicts(client: TestClient, session: Session) -> None:
    patient = registered(session, birth_date=date(1991, 2, 3))
    answer = client.post("/api/patients", json=_body(iin=patient.iin, birth_date=date(1991, 2, 3)))
    assert (answer.status_code, answer.json()["field"]) == (409, "iin")
    assert str(patient.iin) not in answer.text
    twin = _body(birth_date=date(1991, 2, 3))
    assert client.post("/api/patients", json=twin).status_code == 409
    assert client.post("/api/patients", json=twin | {"confirm_not_duplicate": True}).status_code == 201


def test_iin_mismatch_is_confirmed_not_refused(client: TestClient) -> None:
    body = _body(iin=iin_of(date(1990, 1, 1), "M"), birth_date=date(1990, 1, 1), sex="F")
    answer = client.post("/api/patients", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "iin_mismatch_reason")
    answer = client.post("/api/patients", json=body | {"iin_mismatch_reason": "Құжатта солай"})
    assert answer.status_code == 201


@pytest.mark.requirement("REG-02")
def test_search_is_sent_in_the_body(client: TestClient, session: Session) -> None:
    patient = registered(session)
    answer = client.post("/api/patients/search", json={"query": "-v3h,tr 2kbz"})
    assert answer.status_code == 200
    assert answer.json()["reading"] == "other_layout"
    assert [item["id"] for item in answer.json()["items"]] == [patient.id]
    assert client.get("/api/patients/search", params={"query": "x"}).status_code in (405, 422)


def test_merge_and_separate(client: TestClient, session: Session) -> None:
    a, b = registered(session, given_name="Алма"), registered(session, given_name="Дана")
    body = {"source_id": a.id, "target_id": b.id}
    assert client.post("/api/patients/merge", json=body).json()["field"] == "reason"
    body["reason"] = "Бір адам"  # type: ignore[assignment]  # a body is JSON
    assert client.post("/api/patients/merge", json=body).json()["id"] == b.id
    assert client.post("/api/patients/merge", json=body).status_code == 409
    assert client.get(f"/api/patients/{a.id}").json()["merged_into_id"] == b.id
    answer = client.post("/api/patients/separate", json={"source_id": a.id, "reason": "Екі адам"})
    assert answer.json()["merged_into_id"] is None


def test_attachment_and_timeline(client: TestClient, session: Session, world: dict[str, int]) -> None:
    patient = registered(session)
    url = f"/api/patients/{patient.id}/attachments"
    body = {"site_id": world["site"], "valid_from": "2026-01-10", "reason": "Өтініш"}
    assert client.post(url, json=body).status_code == 201
    assert client.post(url, json=body).json()["field"] == "valid_from"
    assert [row["valid_from"] for row in client.get(url).json()] == ["2026-01-10"]
    shown = client.get(f"/api/patients/{patient.id}/timeline").json()
    assert shown["counts"] == {"attachment": 1, "record": 1}
    shown = client.get(f"/api/patients/{patient.id}/timeline", params={"kind": "attachment"}).json()
    assert [item["kind"] for item in shown["items"]] == ["attachment"]


def test_record_of_another_organisation_is_opened_with_a_reason(
    client: TestClient, session: Session, settings: Settings, scope: Scope, world: dict[str, int]
) -> None:
    from operational.kit.db import apply_scope

    apply_scope(session, Scope(scope.user_id, frozenset({world["other"]}), home_organisation_id=world["other"]))
    patient = registered(session)
    apply_scope(session, scope)
    session.expunge_all()
    assert client.get(f"/api/patients/{patient.id}").status_code == 404
    assert client.post("/api/patients/search", json={"query": str(patient.iin)}).json()["total"] == 0
    assert client.post("/api/patients/open", json={"iin": patient.iin}).status_code == 422
    opened = client.post("/api/patients/open", json={"iin": patient.iin, "reason": "Қабылдауға келді"})
    assert opened.json() == {"id": patient.id}
    assert service.get(session, patient.id).id == patient.id


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/patients"),
        ("POST", "/api/patients/search"),
        ("POST", "/api/patients/open"),
        ("POST", "/api/patients/merge"),
        ("POST", "/api/patients/separate"),
        ("GET", "/api/patients/1"),
        ("POST", "/api/patients/1/attachments"),
        ("GET", "/patients"),
        ("GET", "/patients/new"),
        ("GET", "/patients/1/merge"),
    ],
)
def test_each_route_needs_its_right(session: Session, settings: Settings, scope: Scope, method: str, path: str) -> None:
    stranger = client_of(session, settings, scope, permissions=frozenset())
    assert stranger.request(method, path, json={}).status_code == 403
