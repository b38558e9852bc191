"""Home calls for programs: keys, statuses, and refusals that name their field."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.kit.access import Scope
from tests.operational.home_visits.factories import create_attached
from tests.operational.scheduling.test_scheduling import problem
from tests.operational.stage import browser

CALLS = "/api/home-calls"


@pytest.fixture
def client(session: Session, settings: Settings, scope: Scope) -> TestClient:
    return browser(settings, scope, session)


def test_a_call_by_programs(client: TestClient, session: Session, world: dict[str, int]) -> None:
    patient = create_attached(session, world["site"]).id
    made = client.post(CALLS, json={"patient_id": patient, "complaint": "Бас ауруы"})
    assert made.status_code == 201, made.text
    assert (made.json()["site_id"], made.json()["status"]) == (world["site"], "registered")
    url = f"{CALLS}/{made.json()['id']}"
    assert client.put(url, json={"complaint": "Іш ауруы", "urgency": "urgent"}).json()["urgency"] == "urgent"
    problem(client.post(f"{url}/assign", json={"practitioner_id": 0}), 422, "practitioner_id", "нет должности")
    assigned = client.post(f"{url}/assign", json={"practitioner_id": world["practitioner"]})
    assert assigned.json()["status"] == "assigned"
    early = {"performed_at": "2026-11-24T08:00:00+05:00", "result_note": "осмотрен"}
    problem(client.post(f"{url}/perform", json=early), 422, "performed_at", "раньше вызова")
    assert client.post(f"{url}/perform", json={"result_note": "осмотрен"}).json()["status"] == "done"
    problem(client.post(f"{url}/cancel", json={"reason": "поздно"}), 409, None, "закрыт")
    second = client.post(CALLS, json={"patient_id": patient, "complaint": "Қайта шақыру"}).json()["id"]
    assert client.post(f"{CALLS}/{second}/not-found", json={}).json()["status"] == "not_found"
    assert client.get(f"{CALLS}/0").status_code == 404
