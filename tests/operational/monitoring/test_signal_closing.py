"""What closes a case: a visit, a home call, an examination by whoever answers; and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import text

from kmis.clock import FixedClock
from kmis.settings import Settings
from operational import handlers
from operational.domains.encounters.models import Encounter
from operational.domains.home_visits.models import HomeCall
from operational.domains.maternity.models import PregnancyVisit
from operational.domains.monitoring.signals import closing
from operational.domains.monitoring.signals.service import Signals
from operational.events.encounters import VisitSigned, VisitVoided
from operational.events.home_visits import HomeCallDone
from operational.events.inpatient import StayDischarged, VitalSignsTaken
from operational.events.maternity import PregnancyVisitHeld
from operational.events.monitoring import SignalOpened
from operational.events.patients import DeathRegistered
from operational.kit import outbox
from operational.kit.access import Scope
from operational.kit.db import apply_scope, transaction
from operational.kit.events import announce
from tests.factories import create_patient, insert
from tests.operational.monitoring import factories
from tests.operational.monitoring.factories import Place
from tests.operational.stage import NOW, browser

ZONE = ZoneInfo("Asia/Oral")
LATER = FixedClock(NOW + timedelta(hours=5))


@pytest.fixture(autouse=True)
def connected() -> None:
    handlers.install()


def opened(place: Place, main: str = "I21.0", **values: Any) -> tuple[int, int]:
    """A patient and the case of the discharge; the session is the polyclinic's afterwards."""
    patient = place.attached()
    stay = factories.create_stay(place, patient, main, **values)
    announce(place.session, StayDischarged(stay.id, patient, stay.owner_organisation_id), FixedClock(NOW), ZONE)
    place.at_polyclinic()
    return patient, int(place.cases(patient)[0]["id"])


def visit(place: Place, patient: int, at: datetime, **values: Any) -> Encounter:
    row: dict[str, Any] = {
        "owner_organisation_id": place.world["polyclinic"], "patient_id": patient,
        "practitioner_id": place.world["practitioner"], "practitioner_role_id": place.world["role"],
        "department_id": place.world["department"], "visit_reason": "disease", "visit_kind": "primary",
        "financing_source": "gobmp", "status": "finished", "outcome": "improvement", "started_at": at, "ended_at": at,
        "signed_at": at,
    }  # fmt: skip
    found = Encounter(**(row | values))
    place.session.add(found)
    place.session.flush()
    return found


def signed(place: Place, encounter: Encounter) -> None:
    event = VisitSigned(encounter.id, encounter.patient_id, encounter.owner_organisation_id)
    closing.of_visit(place.session, event, LATER, ZONE)


def state(place: Place, patient: int) -> tuple[Any, ...]:
    [case] = place.cases(patient)
    return case["state"], case["outcome"], case["visited_at"]


def test_a_signed_visit_after_the_discharge_closes(place: Place) -> None:
    patient, case = opened(place)
    at = NOW + timedelta(hours=1)
    encounter = visit(place, patient, at)
    signed(place, encounter)
    assert state(place, patient) == ("closed", "visited", at)
    assert place.told(case) == ["opened", "closed"]
    signed(place, encounter)
    assert place.told(case) == ["opened", "closed"]


@pytest.mark.parametrize(
    "values",
    [
        {"started_at": NOW - timedelta(hours=3), "ended_at": NOW - timedelta(hours=3)},
        {"signed_at": None, "status": "in_progress"},
    ],
    ids=["before the discharge", "not signed"],
)
def test_what_is_no_visit_after_the_event_does_not_close(place: Place, values: dict[str, Any]) -> None:
    patient, _ = opened(place)
    signed(place, visit(place, patient, NOW + timedelta(hours=1), **values))
    assert state(place, patient)[0] == "opened"


def test_a_visit_to_another_organisation_does_not_close(place: Place) -> None:
    patient, _ = opened(place)
    place.at_hospital()
    there = {
        "owner_organisation_id": place.world["other"], "practitioner_id": place.world["other_practitioner"],
        "practitioner_role_id": place.world["other_role"], "department_id": place.world["other_department"],
    }  # fmt: skip
    signed(place, visit(place, patient, NOW + timedelta(hours=1), **there))
    place.at_polyclinic()
    assert state(place, patient)[0] == "opened"


def test_a_visit_of_the_merged_record_closes(place: Place) -> None:
    patient, _ = opened(place)
    survivor = place.attached()
    place.session.execute(
        text("update attachment set valid_to = '2026-11-24' where patient_id = :one"), {"one": patient}
    )
    place.session.execute(
        text("update patient set merged_into_id = :survivor where id = :one"), {"survivor": survivor, "one": patient}
    )
    signed(place, visit(place, survivor, NOW + timedelta(hours=1)))
    assert state(place, patient)[:2] == ("closed", "visited")


def test_voiding_the_visit_opens_again_and_another_visit_keeps_it_closed(place: Place) -> None:
    patient, case = opened(place)
    first = visit(place, patient, NOW + timedelta(hours=1))
    signed(place, first)
    first.status, first.voided_at, first.void_reason = "entered_in_error", NOW, "Қате"
    place.session.flush()
    gone = VisitVoided(first.id, patient, first.owner_organisation_id)
    closing.of_voided_visit(place.session, gone, LATER, ZONE)
    assert state(place, patient) == ("opened", None, None)
    second = visit(place, patient, NOW + timedelta(hours=2))
    third = visit(place, patient, NOW + timedelta(hours=3))
    signed(place, second)
    second.status, second.voided_at, second.void_reason = "entered_in_error", NOW, "Қате"
    place.session.flush()
    closing.of_voided_visit(place.session, replace(gone, subject_id=second.id), LATER, ZONE)
    assert state(place, patient) == ("closed", "visited", third.started_at)
    assert place.told(case) == ["opened", "closed", "reopened", "closed", "reopened", "closed"]


def test_what_a_person_opened_again_is_not_closed_by_the_same_visit(place: Place, settings: Settings) -> None:
    patient, case = opened(place)
    encounter = visit(place, patient, NOW + timedelta(hours=1))
    signed(place, encounter)
    client = browser(settings, place.polyclinic, place.session, clock=FixedClock(NOW + timedelta(hours=6)))
    assert client.post(f"/signals/{case}/reopen", data={"reason": "Басқа себеппен келген"}).status_code == 303
    signed(place, encounter)
    assert state(place, patient)[0] == "opened"
    signed(place, visit(place, patient, NOW + timedelta(hours=7)))
    assert state(place, patient)[0] == "closed"


def test_a_performed_active_closes_and_an_unfound_patient_does_not(place: Place) -> None:
    patient, _ = opened(place)
    call = HomeCall(
        owner_organisation_id=place.world["polyclinic"], patient_id=patient, site_id=place.world["site"],
        kind="active", source="signal", called_at=NOW, due_at=NOW + timedelta(hours=4), complaint="Қарау",
        practitioner_id=place.world["practitioner"], status="not_found", performed_at=NOW + timedelta(hours=1),
    )  # fmt: skip
    place.session.add(call)
    place.session.flush()
    done = HomeCallDone(call.id, patient, call.owner_organisation_id)
    closing.of_home_call(place.session, done, LATER, ZONE)
    assert state(place, patient)[0] == "opened"
    call.status = "done"
    place.session.flush()
    closing.of_home_call(place.session, done, LATER, ZONE)
    assert state(place, patient) == ("closed", "visited", NOW + timedelta(hours=1))


@pytest.mark.parametrize(("where", "expected"), [("home", "closed"), ("hospital", "opened")])
def test_an_examination_of_the_woman_outside_hospital_closes(place: Place, where: str, expected: str) -> None:
    patient = place.attached(sex="F")
    pregnancy = factories.create_pregnancy(place, patient)
    stay = factories.create_stay(place, patient, "J18.9", discharged_at=None)
    high = factories.create_vitals(place, stay, NOW, systolic=180, diastolic=100)
    announce(place.session, VitalSignsTaken(high.id, patient, stay.owner_organisation_id), FixedClock(NOW), ZONE)
    place.at_polyclinic()
    seen = PregnancyVisit(
        owner_organisation_id=place.world["polyclinic"], pregnancy_id=pregnancy.id, patient_id=patient,
        visited_at=NOW + timedelta(hours=1), practitioner_id=place.world["practitioner"], place=where,
        gestation_days=230,
    )  # fmt: skip
    place.session.add(seen)
    place.session.flush()
    closing.of_pregnancy_visit(
        place.session, PregnancyVisitHeld(seen.id, patient, place.world["polyclinic"]), LATER, ZONE
    )
    assert state(place, patient)[0] == expected


def test_a_discharge_signed_late_finds_the_visit_that_was_made(place: Place) -> None:
    patient = place.attached()
    made = visit(place, patient, NOW - timedelta(days=1))
    stay = factories.create_stay(place, patient, discharged_at=NOW - timedelta(days=2))
    announce(place.session, StayDischarged(stay.id, patient, stay.owner_organisation_id), FixedClock(NOW), ZONE)
    place.at_polyclinic()
    [case] = place.cases(patient)
    owed = place.session.execute(
        text(
            "select payload from outbox_message where payload ->> 'event' = 'SignalOpened'"
            " and payload ->> 'patient_id' = :p"
        ),
        {"p": str(patient)},
    )
    assert owed.scalar_one()["organisation_id"] == place.world["polyclinic"]
    closing.of_opened(place.session, SignalOpened(case["id"], patient, place.world["polyclinic"]), LATER, ZONE)
    assert state(place, patient) == ("closed", "visited", made.started_at)


def test_the_case_of_a_death_waits_for_a_person(place: Place) -> None:
    patient = place.attached()
    own = place.world["polyclinic"]
    death = factories.create_death(
        place, patient, place="home", hospital_organisation_id=None, owner_organisation_id=own
    )
    announce(place.session, DeathRegistered(death.id, patient, own), FixedClock(NOW), ZONE)
    signed(place, visit(place, patient, NOW - timedelta(minutes=30)))
    assert state(place, patient)[0] == "opened"


def test_from_the_signature_to_the_closing_through_the_outbox(
    settings: Settings, scope: Scope, world: dict[str, int]
) -> None:
    """The real store and the worker's own step: the visit is signed in one transaction, the case is closed after it."""
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        patient = create_patient(connection, world["polyclinic"], surname="Тәңірберген", given_name="Сигнал")
        insert(
            connection, "attachment", owner_organisation_id=world["polyclinic"], patient_id=patient,
            organisation_id=world["polyclinic"], site_id=world["site"], valid_from=date(2020, 1, 1), reason="address",
        )  # fmt: skip
        case = insert(
            connection, "signal_case", owner_organisation_id=world["polyclinic"], patient_id=patient,
            rule_code="SIG-01", rule_version=1, subject="hospital_stay", subject_id=-patient, severity="attention",
            audience="site", reason_code="discharged_acs", origin_organisation_id=world["other"],
            event_at=NOW - timedelta(hours=2), opened_at=NOW - timedelta(hours=1), due_at=NOW + timedelta(hours=70),
            practitioner_id=world["practitioner"],
        )  # fmt: skip
    client = browser(settings, scope, clock=FixedClock(NOW))
    key = client.post("/api/encounters", json={"patient_id": patient}).json()["id"]
    assert client.post(f"/api/encounters/{key}/conditions", json={"icd10_code": "I10"}).status_code == 201
    assert client.patch(f"/api/encounters/{key}", json={"outcome": "improvement"}).status_code == 200
    assert client.post(f"/api/encounters/{key}/sign").status_code == 200
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        assert connection.execute("select state from signal_case where id = %s", (case,)).fetchone() == ("opened",)
    while outbox.deliver_due(settings):
        pass
    with transaction(settings, scope) as session:
        apply_scope(session, scope)
        found = session.execute(text("select state, outcome from signal_case where id = :case"), {"case": case}).one()
    assert tuple(found) == ("closed", "visited")


def test_a_list_read_before_the_worker_closed_a_case_delivers_nothing(place: Place) -> None:
    patient, key = opened(place)
    signals = Signals(place.session, FixedClock(NOW), ZONE)
    stale = signals.get(key)
    place.session.execute(
        text(
            "update signal_case set state = 'closed', closed_at = now(), outcome = 'visited', visited_at = now()"
            " where id = :key"
        ),
        {"key": key},
    )
    assert stale.state == "opened" and signals.addressed(stale)
    signals.delivered([stale])
    assert [row["state"] for row in place.cases(patient)] == ["closed"]
