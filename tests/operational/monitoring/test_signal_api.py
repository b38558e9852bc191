"""Rules over history open cases over the API; every refusal names its field."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kmis.settings import Settings
from operational import handlers
from operational.kit.db import apply_scope
from tests.operational.monitoring import factories
from tests.operational.monitoring.factories import Place
from tests.operational.stage import NOW, browser

OPEN = "/api/signals/open"


@pytest.fixture
def client(place: Place, settings: Settings) -> TestClient:
    handlers.install()
    rights = frozenset({"signals.read", "signals.work", "signals.all"})
    scope = replace(place.polyclinic, permissions=rights)
    apply_scope(place.session, scope)
    return browser(settings, scope, place.session)


def proposal(place: Place) -> dict[str, Any]:
    """What a job says about a death that the polyclinic registered before the rule was known."""
    patient = place.attached()
    own = place.world["polyclinic"]
    death = factories.create_death(
        place, patient, place="home", hospital_organisation_id=None, owner_organisation_id=own
    )
    return {
        "rule_code": "SIG-06", "patient_id": patient, "subject_id": death.id,
        "event_at": (NOW - timedelta(hours=1)).isoformat(), "origin_organisation_id": own, "icd10_code": "I21.0",
        "reasons": {"death": {"icd10": "I21.0", "place": "home", "at": NOW.isoformat()}},
    }  # fmt: skip


def test_a_case_is_opened_once_and_worked_off(client: TestClient, place: Place) -> None:
    wanted = proposal(place)
    first = client.post(OPEN, json=wanted)
    assert first.status_code == 201, first.text
    key = first.json()["id"]
    assert client.post(OPEN, json=wanted).json() == {"id": key}
    assert place.told(key) == ["opened"]
    shown = client.get(f"/api/signals/{key}").json()
    assert (shown["rule_code"], shown["subject"], shown["state"]) == ("SIG-06", "death", "seen")
    assert (shown["site_id"], shown["practitioner_id"]) == (place.world["site"], place.world["practitioner"])
    assert client.post(f"/api/signals/{key}/visited", json={}).status_code == 422
    told = client.post(f"/api/signals/{key}/contacted", json={"note": "Отбасымен сөйлесті"})
    assert told.json()["state"] == "contacted"
    closed = client.post(f"/api/signals/{key}/close", json={"outcome": "contacted"})
    assert (closed.json()["state"], closed.json()["outcome"]) == ("closed", "contacted")
    again = client.post(f"/api/signals/{key}/reopen", json={"reason": "Толық емес"})
    assert again.json()["state"] == "contacted"
    assert client.post(f"/api/signals/{key}/assign", json={"practitioner_id": place.nurse_id}).status_code == 200
    assert client.post(f"/api/signals/{key}/take").status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"rule_code": "SIG-99"}, 422, "rule_code"),
        ({"event_at": "2009-01-01T00:00:00+00:00"}, 422, "rule_code"),
        ({"event_at": "2026-11-24T09:00:00"}, 422, "event_at"),
        ({"reasons": {"weather": {}}}, 422, "reasons"),
        ({"reasons": {}}, 422, "reasons"),
        ({"icd10_code": "Y99.9"}, 422, "icd10_code"),
        ({"patient_id": 999_999}, 404, "patient_id"),
        ({"subject_id": 999_999}, 422, "subject_id"),
        ({"iin": "1"}, 422, "iin"),
    ],
)
def test_what_cannot_be_a_case_is_refused_at_its_field(
    client: TestClient, place: Place, change: dict[str, Any], status: int, field: str
) -> None:
    answer = client.post(OPEN, json=proposal(place) | change)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert field in {body.get("field"), *body.get("errors", {})}, answer.text


def test_only_who_sees_all_cases_opens_one(place: Place, settings: Settings) -> None:
    scope = replace(place.polyclinic, permissions=frozenset({"signals.read", "signals.work"}))
    assert browser(settings, scope, place.session).post(OPEN, json=proposal(place)).status_code == 403
