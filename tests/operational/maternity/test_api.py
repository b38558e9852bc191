"""Pregnancies and births for programs: keys, statuses, and refusals that name their field."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.kit.access import Scope
from tests.operational.maternity.factories import create_woman
from tests.operational.scheduling.test_scheduling import problem
from tests.operational.stage import browser


@pytest.fixture
def client(session: Session, settings: Settings, scope: Scope) -> TestClient:
    return browser(settings, scope, session)


def test_a_pregnancy_by_programs(client: TestClient, session: Session) -> None:
    woman = create_woman(session).id
    wanted = {"patient_id": woman, "last_menstrual_date": "2026-02-24", "gravida": 2, "para": 1}
    made = client.post("/api/pregnancies", json=wanted)
    assert made.status_code == 201, made.text
    key = made.json()["id"]
    assert (made.json()["expected_delivery_date"], made.json()["risk_group"]) == ("2026-12-01", "moderate")
    problem(client.post("/api/pregnancies", json=wanted), 409, "patient_id", "открытая беременность")
    problem(client.post(f"/api/pregnancies/{key}/take-over", json={"reason": "сама"}), 409, None, "уже ведёт")
    assert client.post(f"/api/pregnancies/{key}/visits", json={"visit_no": 1}).status_code == 201
    problem(client.post(f"/api/pregnancies/{key}/visits", json={"visit_no": 1}), 409, "visit_no", "уже записана")
    born = {"patient_id": woman, "born_at": "2026-11-24T13:00:00", "sex": "F", "weight_g": 3300}
    problem(client.post("/api/births", json=born | {"birth_order": 2}), 422, "birth_order", "больше числа")
    assert client.post("/api/births", json=born).status_code == 201
    assert client.get(f"/api/pregnancies/{key}").json()["outcome"] == "birth"
    ended = client.post(f"/api/pregnancies/{key}/end", json={"ended_on": "2026-11-24", "outcome": "missed"})
    problem(ended, 409, None, "завершена")
    assert client.get("/api/pregnancies/0").status_code == 404
