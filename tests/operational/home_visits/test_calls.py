"""A home call from registration to its end: site and doctor by attachment, due times by rule, every refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from operational.domains.encounters.schemas import StartVisit
from operational.domains.encounters.service import Visits
from operational.domains.home_visits import errors, repository, ruleset
from operational.domains.home_visits.schemas import EditCall, PerformCall, RegisterCall
from operational.domains.home_visits.service import create_active
from operational.events.home_visits import HomeCallDone
from operational.kit import events
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from operational.kit.errors import BusinessError, NotFound
from tests.operational.home_visits.factories import CLOCK, ZONE, calls_of, create_attached, create_call
from tests.operational.patients.builders import registered
from tests.operational.stage import NOW


@pytest.mark.requirement("CALL-01")
def test_site_follows_from_attachment(session: Session, world: dict[str, int]) -> None:
    call = create_call(session, create_attached(session, world["site"]))
    assert (call.owner_organisation_id, call.site_id) == (world["polyclinic"], world["site"])
    assert (call.status, call.practitioner_id) == ("registered", None)
    assert (call.address, call.phone) == ("Қазталов, Абай көшесі 5", "+77011234567")
    assert call.due_at == datetime(2026, 11, 24, 20, 0, tzinfo=ZONE)
    stranger = create_call(session, registered(session))
    assert (stranger.owner_organisation_id, stranger.site_id) == (world["polyclinic"], None)


@pytest.mark.parametrize(
    ("called", "urgency", "due"),
    [
        ("2026-11-24T09:00", "routine", "2026-11-24T20:00"),
        ("2026-11-24T17:59", "routine", "2026-11-24T20:00"),
        ("2026-11-24T18:00", "routine", "2026-11-25T20:00"),
        ("2026-11-24T23:30", "routine", "2026-11-25T20:00"),
        ("2026-11-24T09:00", "urgent", "2026-11-24T11:00"),
    ],
)
def test_due_time_is_a_rule(called: str, urgency: str, due: str) -> None:
    at = datetime.fromisoformat(called).replace(tzinfo=ZONE).astimezone(UTC)
    assert ruleset.due_at(at, urgency, ZONE) == datetime.fromisoformat(due).replace(tzinfo=ZONE)


def test_actives_go_to_the_site_doctor(session: Session, world: dict[str, int]) -> None:
    patient = create_attached(session, world["site"])
    due = NOW + timedelta(days=1)
    call = create_active(
        session, CLOCK, ZONE, patient.id, "hospital", "Стационардан шықты", due, world["polyclinic"]
    )  # fmt: skip
    assert (call.kind, call.source, call.due_at) == ("active", "hospital", due)
    assert (call.status, call.practitioner_id, call.site_id) == ("assigned", world["practitioner"], world["site"])
    alone = create_active(session, CLOCK, ZONE, registered(session).id, "signal", "Сигнал", None, world["polyclinic"])
    assert (alone.status, alone.site_id) == ("registered", None)


@pytest.mark.requirement("CALL-02")
def test_an_open_call_is_changed(session: Session, world: dict[str, int]) -> None:
    call = create_call(session, create_attached(session, world["site"]))
    wanted = EditCall(complaint="Қан қысымы көтерілді", urgency="urgent", address="Абай 7", phone="+77010000000")
    calls_of(session).edit(call.id, wanted)
    assert (call.complaint, call.urgency, call.address) == ("Қан қысымы көтерілді", "urgent", "Абай 7")
    assert call.due_at == NOW + timedelta(hours=2)
    assert call.site_id == world["site"]
    with pytest.raises(errors.DueBeforeCall):
        calls_of(session).edit(call.id, wanted.model_copy(update={"due_at": NOW - timedelta(days=1)}))


@pytest.mark.requirement("CALL-03")
def test_cancelling_needs_a_reason(session: Session, world: dict[str, int]) -> None:
    call = create_call(session, create_attached(session, world["site"]))
    calls = calls_of(session)
    with pytest.raises(errors.ReasonNeeded):
        calls.cancel(call.id, " a ")
    calls.cancel(call.id, "Пациент бас тартты")
    assert (call.status, call.cancel_reason) == ("cancelled", "Пациент бас тартты")
    acts: list[Callable[[], object]] = [
        lambda: calls.cancel(call.id, "Тағы да"),
        lambda: calls.assign(call.id, world["practitioner"]),
        lambda: calls.perform(call.id, PerformCall(result_note="Қаралды")),
        lambda: calls.edit(call.id, EditCall(complaint="Басқа себеп")),
    ]
    for act in acts:
        with pytest.raises(errors.CallClosed):
            act()
    calls.reopen(call.id, "Қате болдырылмады")
    assert (call.status, call.cancel_reason) == ("registered", None)
    with pytest.raises(errors.CallNotClosed):
        calls.reopen(call.id, "Тағы да")


@pytest.mark.requirement("CALL-04")
def test_hand_over_is_a_fact(session: Session, world: dict[str, int]) -> None:
    call = create_call(session, create_attached(session, world["site"]))
    calls = calls_of(session)
    with pytest.raises(errors.AssignedToNobody):
        calls.assign(call.id, None)
    with pytest.raises(errors.NotOnTheStaff):
        calls.assign(call.id, world["other_practitioner"])
    calls.assign(call.id, world["practitioner"])
    assert (call.status, call.practitioner_id, call.assigned_at) == ("assigned", world["practitioner"], NOW)


def test_performed_with_a_visit_at_home(
    session: Session, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[HomeCallDone] = []
    monkeypatch.setitem(events._at_once, HomeCallDone, (lambda *parts: told.append(parts[1]),))
    patient = create_attached(session, world["site"])
    call = create_call(session, patient, called_at="24.11.2026 12:00")
    visits = Visits(session, CLOCK, ZONE)
    at_home = visits.start(StartVisit(patient_id=patient.id, place="home"))
    here = visits.start(StartVisit(patient_id=patient.id))
    others = visits.start(StartVisit(patient_id=registered(session).id, place="home"))
    calls = calls_of(session)
    with pytest.raises(errors.ResultNeeded):
        calls.perform(call.id, PerformCall())
    for wrong in (here.id, others.id, 0):
        with pytest.raises(errors.VisitOfAnother):
            calls.perform(call.id, PerformCall(result_note="Қаралды", encounter_id=wrong))
    calls.perform(call.id, PerformCall(result_note="Қаралды", encounter_id=at_home.id))
    assert (call.status, call.encounter_id, call.performed_at) == ("done", at_home.id, NOW)
    assert call.practitioner_id == world["practitioner"]
    assert [(event.subject_id, event.patient_id) for event in told] == [(call.id, patient.id)]


def test_nobody_at_home_announces_nothing(
    session: Session, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[HomeCallDone] = []
    monkeypatch.setitem(events._at_once, HomeCallDone, (lambda *parts: told.append(parts[1]),))
    call = create_call(session, create_attached(session, world["site"]), practitioner_id=world["practitioner"])
    calls_of(session).perform(call.id, PerformCall(), found=False)
    assert (call.status, told) == ("not_found", [])


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"called_at": "24.11.2026 15:00"}, errors.CalledInFuture, "called_at"),
        ({"called_at": "01.01.1990 10:00"}, errors.CalledBeforeBirth, "called_at"),
        ({"called_at": "24.11.2026 13:00", "due_at": "24.11.2026 12:00"}, errors.DueBeforeCall, "due_at"),
        ({"site_id": 0}, errors.SiteOfAnother, "site_id"),
        ({"practitioner_id": 0}, errors.NotOnTheStaff, "practitioner_id"),
    ],
)
def test_refused_calls(session: Session, values: dict[str, Any], refusal: type[BusinessError], field: str) -> None:
    patient = registered(session, birth_date=date(1990, 5, 12))
    with pytest.raises(refusal) as caught:
        create_call(session, patient, **values)
    assert caught.value.field == field


def test_no_call_to_the_dead_or_the_unknown(session: Session) -> None:
    dead = registered(session, death_date=date(2026, 11, 1))
    with pytest.raises(errors.CallerDied):
        create_call(session, dead)
    with pytest.raises(NotFound):
        calls_of(session).register(RegisterCall(patient_id=0, complaint="Жоқ адам"))


@pytest.mark.parametrize(
    ("performed", "refusal"),
    [("24.11.2026 11:59", errors.PerformedBeforeCall), ("24.11.2026 14:30", errors.PerformedInFuture)],
)
def test_refused_times_of_performing(
    session: Session, world: dict[str, int], performed: str, refusal: type[BusinessError]
) -> None:
    call = create_call(session, create_attached(session, world["site"]), called_at="24.11.2026 12:00")
    wanted = PerformCall.model_validate({"performed_at": performed, "result_note": "Қаралды"})
    with pytest.raises(refusal) as caught:
        calls_of(session).perform(call.id, wanted)
    assert caught.value.field == "performed_at"


def test_voided_call_stays_and_comes_back(session: Session, world: dict[str, int]) -> None:
    call = create_call(session, create_attached(session, world["site"]))
    calls = calls_of(session)
    calls.void(call.id, "Басқа адамға жазылған")
    with pytest.raises(errors.CallVoided):
        calls.cancel(call.id, "Себеп")
    calls.restore(call.id, "Дұрыс екен")
    assert call.voided_at is None
    with pytest.raises(NotFound):
        calls.restore(call.id, "Тағы да")


def test_the_database_refuses_too(session: Session, world: dict[str, int]) -> None:
    patient = create_attached(session, world["site"])
    call = create_call(session, patient).id
    for change, constraint in (
        ("status = 'assigned'", "ck_home_call_assigned_to_someone"),
        ("status = 'done', performed_at = called_at - interval '1 minute'", "ck_home_call_performed_after_call"),
        ("status = 'done'", "ck_home_call_performed"),
        ("status = 'cancelled'", "ck_home_call_cancel_has_reason"),
        ("due_at = called_at - interval '1 minute'", "ck_home_call_due"),
        (f"site_id = {world['other_site']}", "fk_home_call_site"),
        ("status = 'lost'", "ck_home_call_status"),
    ):
        with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
            session.execute(text(f"update home_call set {change} where id = :k"), {"k": call})
    with pytest.raises(DBAPIError, match="row-level security"), session.begin_nested():
        session.execute(
            text("insert into home_call (owner_organisation_id, patient_id, source, called_at, due_at, complaint)"
                 " values (:o, :p, 'patient', now(), now(), 'x')"), {"o": world["other"], "p": patient.id},
        )  # fmt: skip


def test_another_organisation_sees_no_call(session: Session, scope: Scope, world: dict[str, int]) -> None:
    call = create_call(session, create_attached(session, world["site"])).id
    apply_scope(session, replace(scope, organisation_ids=frozenset({world["other"]})))
    session.expunge_all()
    assert repository.call(session, call) is None
    with pytest.raises(NotFound):
        calls_of(session).cancel(call, "Біздікі емес")
