"""The hospital's use cases for programs: the same rules, refusals as problems that name the field."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.operational.inpatient.factories import OPERATION, Hospital
from tests.operational.patients.builders import registered

API = "/api/inpatient"


def made(client: TestClient, address: str, body: dict[str, Any]) -> int:
    answer = client.post(f"{API}{address}", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def presented(client: TestClient, session: Session, hospital: Hospital, **values: Any) -> int:
    body = {"patient_id": registered(session).id, "department_id": hospital.admission,
            "arrival_channel": "self", "arrived_at": "2026-11-23T05:00:00Z"}  # fmt: skip
    return made(client, "/presentations", body | values)


def admission(hospital: Hospital, **values: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "admitted_at": "2026-11-23T06:00:00Z", "department_id": hospital.surgery, "bed_profile": "surgical",
        "practitioner_id": hospital.doctor, "icd10_code": "J06.9",
    }  # fmt: skip
    return body | values


def test_a_stay_from_its_beginning_to_its_correction(client: TestClient, session: Session, hospital: Hospital) -> None:
    key = presented(client, session, hospital, admission_type="planned", pulse=140)
    assert client.get(f"{API}/presentations/{key}").json()["triage_zone"] == "red"
    seen = client.post(f"{API}/presentations/{key}/seen", json={"seen_at": "2026-11-23T05:10:00Z"})
    assert seen.json()["seen_at"].startswith("2026-11-23T05:10")
    stay = made(client, f"/presentations/{key}/admit", admission(hospital))
    assert client.get(f"{API}/stays/{stay}").json()["admission_type"] == "planned"
    here = f"/stays/{stay}"
    made(client, f"{here}/diagnoses", {"phase": "clinical", "icd10_code": "I10"})
    made(client, f"{here}/movements", {"department_id": hospital.intensive, "bed_profile": "intensive_care"})
    vital = made(client, f"{here}/vitals", {"pulse": 90, "temperature": "36.9"})
    made(client, f"{here}/operations", {
        "operation_code": OPERATION, "started_at": "2026-11-24T01:00:00Z", "surgeon_id": hospital.doctor,
        "urgency": "planned", "anaesthesia": "general",
    })  # fmt: skip
    made(client, f"{here}/transfusions", {
        "component": "plasma", "volume_ml": 250, "blood_group": "B", "rhesus": "+", "unit_number": "7",
        "indication": "коагулопатия", "started_at": "2026-11-24T02:00:00Z", "practitioner_id": hospital.doctor,
    })  # fmt: skip
    assert client.post(f"{API}{here}/condition/severe").json()["condition"] == "severe"
    assert client.post(f"{API}{here}/vitals/{vital}/void", json={"reason": "қате"}).json()["id"] == vital
    ending = {"outcome": "discharged", "treatment_result": "recovery", "icd10_code": "I10", "epicrisis": "Сауықты."}
    done = client.post(f"{API}{here}/discharge", json=ending).json()
    assert (done["outcome"], done["version"]) == ("discharged", 1)
    fixed = client.put(f"{API}{here}/discharge", json=ending | {"treatment_result": "improvement", "reason": "түзету"})
    assert (fixed.json()["treatment_result"], fixed.json()["version"]) == ("improvement", 2)
    assert client.post(f"{API}{here}/take-back", json={"reason": "ерте"}).json()["discharged_at"] is None
    assert client.post(f"{API}{here}/void", json={"reason": "қате"}).json()["voided_at"]
    assert client.post(f"{API}{here}/restore", json={"reason": "дұрыс"}).json()["voided_at"] is None


def test_other_decisions(client: TestClient, session: Session, hospital: Hospital) -> None:
    left = presented(client, session, hospital)
    assert client.post(f"{API}/presentations/{left}/decide/left", json={}).json()["decision"] == "left"
    back = client.post(f"{API}/presentations/{left}/take-back", json={"reason": "қайтып келді"})
    assert back.json()["decision"] == "waiting"
    assert client.post(f"{API}/presentations/{left}/void", json={"reason": "қате"}).json()["voided_at"]
    died = presented(client, session, hospital)
    body = {"underlying_icd10": "I10", "decided_at": "2026-11-23T07:00:00Z"}
    assert client.post(f"{API}/presentations/{died}/died", json=body).json()["decision"] == "died"
    assert client.post(f"{API}/presentations/{died}/decide/eaten", json={}).status_code == 404


def test_refusals_name_their_field(client: TestClient, session: Session, hospital: Hospital) -> None:
    key = presented(client, session, hospital)
    address = f"{API}/presentations/{key}"
    early = client.post(f"{address}/admit", json=admission(hospital, admitted_at="2026-11-23T04:00:00Z"))
    assert (early.status_code, early.json()["field"]) == (422, "admitted_at")
    stranger = client.post(f"{address}/admit", json=admission(hospital, practitioner_id=999_999))
    assert (stranger.status_code, stranger.json()["field"]) == (422, "practitioner_id")
    refused = client.post(f"{address}/decide/refused", json={})
    assert (refused.status_code, refused.json()["field"]) == (422, "refusal_reason")
    assert client.get(f"{API}/stays/0").status_code == 404
