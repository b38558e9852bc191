"""Visits of a pregnant woman: the plan, warnings by rule, risk factors, corrections, and every refusal."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from operational.domains.maternity import errors, repository, ruleset, views, visiting
from operational.domains.maternity.models import PregnancyVisit
from operational.domains.maternity.schemas import CorrectVisit, EndPregnancy
from operational.events.maternity import PregnancyVisitHeld
from operational.kit import events
from operational.kit.errors import BusinessError, NotFound
from tests.operational.maternity.factories import LMP, TODAY, create_pregnancy, create_visit, create_woman, services
from tests.operational.stage import NOW


@pytest.mark.requirement("PREG-05")
def test_states_of_the_plan_follow_the_day(session: Session) -> None:
    pregnancy = create_pregnancy(session)
    create_visit(session, pregnancy, visit_no=1)
    plan = repository.planned(session, pregnancy.id)
    held = [visit for visit, _ in repository.visits(session, pregnancy.id)]

    def states(day: date, ended_on: date | None = None) -> list[str]:
        return [row.state for row in views.plan_rows(plan, held, ended_on, day)]

    assert states(TODAY)[:3] == ["held", "future", "future"]
    assert states(LMP + timedelta(weeks=16))[:3] == ["held", "due", "future"]
    last = LMP + timedelta(weeks=18, days=6)
    assert states(last)[1] == "due"
    assert states(last + timedelta(days=1))[1] == "overdue"
    assert set(states(TODAY, TODAY)[1:]) == {"dropped"}
    assert views.proposed_visit(views.plan_rows(plan, held, None, last + timedelta(days=1))) == "2"
    assert views.proposed_visit(views.plan_rows(plan, held, None, TODAY)) == ""


def test_visit_counts_the_term_and_is_announced(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[PregnancyVisitHeld] = []
    monkeypatch.setitem(events._at_once, PregnancyVisitHeld, (lambda *parts: told.append(parts[1]),))
    visit = create_visit(session, create_pregnancy(session), visit_no=1, visited_at="24.11.2026 10:30")
    assert visit.gestation_days == 84
    assert visit.visited_at.isoformat() == "2026-11-24T10:30:00+05:00"
    assert [event.subject_id for event in told] == [visit.id]


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"visited_at": "25.11.2026 10:00"}, errors.VisitInFuture, "visited_at"),
        ({"visited_at": "31.08.2026 10:00"}, errors.VisitOutside, "visited_at"),
        ({"visited_at": "23.11.2026 10:00"}, errors.VisitNotLed, "visited_at"),
        ({"visit_no": 14}, errors.VisitNotPlanned, "visit_no"),
        ({"systolic": 120}, errors.PressureIncomplete, "diastolic"),
        ({"systolic": 80, "diastolic": 120}, errors.PressureIncomplete, "diastolic"),
        ({"next_visit_on": TODAY}, errors.NextVisitEarly, "next_visit_on"),
    ],
)
def test_refused_visits(session: Session, values: dict[str, Any], refusal: type[BusinessError], field: str) -> None:
    pregnancy = create_pregnancy(session)
    with pytest.raises(refusal) as caught:
        create_visit(session, pregnancy, **values)
    assert caught.value.field == field


def test_planned_visit_is_held_once(session: Session) -> None:
    pregnancy = create_pregnancy(session)
    first = create_visit(session, pregnancy, visit_no=1)
    with pytest.raises(errors.VisitHeldAlready), session.begin_nested():
        create_visit(session, pregnancy, visit_no=1)
    visits = services(session)[1]
    visits.void(pregnancy.id, first.id, "Басқа әйел")
    second = create_visit(session, pregnancy, visit_no=1)
    with pytest.raises(errors.VisitHeldAlready), session.begin_nested():
        visits.restore(pregnancy.id, first.id)
    visits.void(pregnancy.id, second.id, "Қате")
    session.expire_all()
    visits.restore(pregnancy.id, first.id)
    assert [row.id for row, _ in repository.visits(session, pregnancy.id)] == [first.id]
    with pytest.raises(NotFound):
        visits.void(pregnancy.id, second.id, "Тағы да")


def test_no_visit_after_the_end_or_the_death(session: Session) -> None:
    pregnancy = create_pregnancy(session, registered_on=date(2026, 11, 2))
    services(session)[0].end(pregnancy.id, EndPregnancy(ended_on=TODAY - timedelta(days=2), outcome="missed"))
    with pytest.raises(errors.VisitOutside):
        create_visit(session, pregnancy)
    create_visit(session, pregnancy, visited_at="22.11.2026 09:00")
    other = create_pregnancy(session, create_woman(session, surname="Тоқаева"))
    session.execute(text("update patient set death_date = '2026-11-23' where id = :p"), {"p": other.patient_id})
    session.expire_all()
    with pytest.raises(errors.VisitAfterDeath):
        create_visit(session, other)


@pytest.mark.parametrize(
    ("at", "constraint"),
    [("2026-08-30 10:00+05", "outside the pregnancy"), ("2026-11-24 23:00+05", "outside the pregnancy")],
)
def test_the_database_keeps_visits_inside(session: Session, world: dict[str, int], at: str, constraint: str) -> None:
    pregnancy = create_pregnancy(session)
    session.execute(
        text("update pregnancy set ended_on = '2026-11-20', outcome = 'missed' where id = :p"), {"p": pregnancy.id}
    )
    row = PregnancyVisit(
        owner_organisation_id=world["polyclinic"], pregnancy_id=pregnancy.id, patient_id=pregnancy.patient_id,
        practitioner_id=world["practitioner"], gestation_days=10, visited_at=at,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
        session.add(row)
        session.flush()


def test_the_database_lets_only_the_leader_write(session: Session, world: dict[str, int]) -> None:
    pregnancy = create_pregnancy(session)
    session.execute(
        text("update pregnancy_care set valid_from = '2026-09-01', valid_to = '2026-10-01' where pregnancy_id = :p"),
        {"p": pregnancy.id},
    )
    insert = text(
        "insert into pregnancy_visit (owner_organisation_id, pregnancy_id, patient_id, practitioner_id, visited_at,"
        " gestation_days) values (:o, :p, :w, :d, :at, 30)"
    )
    values = {"o": world["polyclinic"], "p": pregnancy.id, "w": pregnancy.patient_id, "d": world["practitioner"]}
    with pytest.raises(IntegrityError, match="does not lead"), session.begin_nested():
        session.execute(insert, values | {"at": NOW})
    session.execute(insert, values | {"at": "2026-09-20 10:00+05"})


def test_warnings_follow_the_rule() -> None:
    def codes(**figures: Any) -> list[str]:
        return ruleset.warnings(figures, TODAY)

    assert codes(systolic=139, diastolic=89, fetal_heart_rate=160, proteinuria="trace", oedema="legs") == []
    assert codes(systolic=140, diastolic=80) == ["pressure_high"]
    assert codes(systolic=120, diastolic=90) == ["pressure_high"]
    assert codes(systolic=160, diastolic=90) == ["pressure_very_high"]
    assert codes(systolic=89, diastolic=60) == ["pressure_low"]
    assert codes(fetal_heart_rate=109) == codes(fetal_heart_rate=161) == ["fetal_heart_rate"]
    assert codes(proteinuria="1+", oedema="generalised") == ["proteinuria", "oedema"]
    assert codes(weekly_gain_kg=1) == ["weight_gain"]


def test_weight_is_compared_with_the_visit_before(session: Session) -> None:
    pregnancy = create_pregnancy(session, registered_on=date(2026, 11, 2))
    before = create_visit(session, pregnancy, weight_kg="60", visited_at="10.11.2026 10:00")
    after = create_visit(session, pregnancy, weight_kg="62")
    assert visiting.warnings_of(after, before) == ["weight_gain"]
    after.weight_kg = before.weight_kg
    assert visiting.warnings_of(after, before) == []


def test_factors_recount_the_group(session: Session) -> None:
    pregnancy = create_pregnancy(session)
    visits = services(session)[1]
    assert pregnancy.risk_group == "low"
    scar = visits.add_factor(pregnancy.id, "uterine_scar")
    assert pregnancy.risk_group == "high"
    for code in ("bmi_high", "no_such"):
        with pytest.raises(errors.UnknownFactor):
            visits.add_factor(pregnancy.id, code)
    with pytest.raises(errors.FactorTwice), session.begin_nested():
        visits.add_factor(pregnancy.id, "uterine_scar")
    session.expire_all()
    visits.remove_factor(pregnancy.id, scar.id)
    assert pregnancy.risk_group == "low"
    visits.remove_factor(pregnancy.id, scar.id, restore=True)
    assert pregnancy.risk_group == "high"


def test_correction_needs_a_reason_and_checks_again(session: Session) -> None:
    pregnancy = create_pregnancy(session, registered_on=date(2026, 11, 2))
    visit = create_visit(session, pregnancy, visit_no=1, systolic=120, diastolic=80)
    visits = services(session)[1]
    wanted = CorrectVisit(
        visit_no=1, systolic=150, diastolic=95, visited_at=datetime(2026, 11, 20, 10), reason="Қате терілді"
    )
    visits.correct(pregnancy.id, visit.id, wanted)
    assert (visit.systolic, visit.gestation_days) == (150, 80)
    given = text("select current_setting('kmis.reason')")
    assert session.execute(given).scalar() == "Қате терілді"
    with pytest.raises(errors.ReasonNeeded):
        visits.correct(pregnancy.id, visit.id, wanted.model_copy(update={"reason": ""}))
