"""A pregnancy from registration to its end: term, risk, plan, corrections, and every refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from operational.domains.maternity import errors, refusing, repository, ruleset
from operational.domains.maternity.models import Pregnancy
from operational.domains.maternity.schemas import CorrectPregnancy, EndPregnancy, TakeOver
from operational.domains.patients import merging
from operational.events.maternity import PregnancyEnded
from operational.kit import events
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from operational.kit.errors import BusinessError
from tests.operational.maternity.factories import (
    LMP,
    TODAY,
    create_pregnancy,
    create_visit,
    create_woman,
    grant_access,
    services,
)
from tests.operational.stage import NOW


def other_scope(scope: Scope, world: dict[str, int]) -> Scope:
    """An obstetrician of the second organisation with the same rights."""
    return replace(
        scope, user_id=world["other_user"], organisation_ids=frozenset({world["other"]}),
        practitioner_id=world["other_practitioner"], home_organisation_id=world["other"],
    )  # fmt: skip


@pytest.mark.requirement("PREG-04")
def test_registration_computes_term_and_care(session: Session, world: dict[str, int]) -> None:
    pregnancy = create_pregnancy(session, height_cm=160, weight_before_kg="80")
    assert pregnancy.expected_delivery_date == LMP + timedelta(days=280)
    assert pregnancy.registered_on == TODAY
    assert ruleset.gestation(LMP, TODAY) == ruleset.Gestation(12, 0)
    care = repository.current_care(session, pregnancy.id)
    assert care is not None
    assert (care.owner_organisation_id, care.practitioner_id) == (world["polyclinic"], world["practitioner"])
    assert [row.factor_code for row in repository.factors(session, pregnancy.id)] == ["bmi_high"]
    assert pregnancy.risk_group == "high"


@pytest.mark.requirement("PREG-05")
def test_plan_holds_the_visits_that_are_still_ahead(session: Session) -> None:
    pregnancy = create_pregnancy(session)
    plan = repository.planned(session, pregnancy.id)
    assert [row.visit_no for row in plan] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert (plan[0].due_from, plan[0].due_to) == (TODAY, TODAY + timedelta(days=7))
    assert (plan[1].due_from, plan[1].due_to) == (LMP + timedelta(weeks=16), LMP + timedelta(weeks=18, days=6))
    late = create_pregnancy(session, create_woman(session, surname="Тоқаева"), last_menstrual_date=date(2026, 5, 1))
    plan = repository.planned(session, late.id)
    assert [row.visit_no for row in plan] == [1, 5, 6, 7, 8, 9]
    assert (plan[0].due_from, plan[0].due_to) == (TODAY, TODAY + timedelta(days=7))
    assert [row.factor_code for row in repository.factors(session, late.id)] == ["late_registration"]


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"last_menstrual_date": date(2026, 11, 25)}, errors.MenstruationInFuture, "last_menstrual_date"),
        ({"last_menstrual_date": TODAY - timedelta(days=321)}, errors.TermTooLong, "last_menstrual_date"),
        ({"registered_on": date(2026, 11, 25)}, errors.RegisteredInFuture, "registered_on"),
        ({"para": 1}, errors.ParityWrong, "para"),
        ({"factors": ["no_such"]}, errors.UnknownFactor, "factors"),
        ({"factors": ["bmi_high"]}, errors.UnknownFactor, "factors"),
    ],
)
def test_refused_registrations(
    session: Session, values: dict[str, Any], refusal: type[BusinessError], field: str
) -> None:
    with pytest.raises(refusal) as caught:
        create_pregnancy(session, **values)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("person", "refusal"),
    [
        ({"sex": "M"}, errors.NotAWoman),
        ({"birth_date": date(2018, 1, 1)}, errors.AgeImplausible),
        ({"birth_date": date(1960, 1, 1)}, errors.AgeImplausible),
        ({"death_date": date(2026, 11, 1)}, errors.WomanDied),
    ],
)
def test_who_is_not_registered(session: Session, person: dict[str, Any], refusal: type[BusinessError]) -> None:
    with pytest.raises(refusal):
        create_pregnancy(session, create_woman(session, **person))


def test_edge_of_the_term_is_accepted(session: Session) -> None:
    assert create_pregnancy(session, last_menstrual_date=TODAY - timedelta(days=320)).id


def raw_pregnancy(session: Session, **values: Any) -> None:
    row = {"o": 0, "p": 0, "reg": TODAY, "lmp": LMP, "edd": LMP + timedelta(days=280)} | values
    with session.begin_nested():
        session.execute(
            text("insert into pregnancy (owner_organisation_id, patient_id, registered_on, last_menstrual_date,"
                 " expected_delivery_date, gravida, para, risk_group) values (:o, :p, :reg, :lmp, :edd, 1, 0, 'low')"),
            row,
        )  # fmt: skip


def test_the_database_refuses_too(session: Session, world: dict[str, int]) -> None:
    woman, man = create_woman(session), create_woman(session, sex="M")
    own = {"o": world["polyclinic"], "p": woman.id}
    with pytest.raises(IntegrityError, match="ck_pregnancy_last_menstrual_date"):
        raw_pregnancy(session, **own, lmp=TODAY + timedelta(days=1))
    with pytest.raises(IntegrityError, match="ck_pregnancy_term"):
        raw_pregnancy(session, **own, lmp=TODAY - timedelta(days=321))
    with pytest.raises(IntegrityError, match="belongs to a woman"):
        raw_pregnancy(session, **(own | {"p": man.id}))
    with pytest.raises(DBAPIError, match="row-level security"):
        raw_pregnancy(session, **(own | {"o": world["other"]}))
    raw_pregnancy(session, **own)
    with pytest.raises(IntegrityError, match="uq_pregnancy_open"):
        raw_pregnancy(session, **own)


def test_concurrent_registration_speaks_as_the_rule(session: Session, world: dict[str, int]) -> None:
    """What the look-up did not see, the unique index does."""
    woman = create_woman(session)
    raw_pregnancy(session, o=world["polyclinic"], p=woman.id)
    session.add(Pregnancy(owner_organisation_id=world["polyclinic"], patient_id=woman.id, registered_on=TODAY,
                          last_menstrual_date=LMP, expected_delivery_date=TODAY, gravida=1, para=0,
                          risk_group="low"))  # fmt: skip
    with pytest.raises(errors.PregnancyOpen):
        refusing.flush(session)


@pytest.mark.requirement("PREG-04")
def test_open_elsewhere_is_taken_over_with_its_history(session: Session, scope: Scope, world: dict[str, int]) -> None:
    woman = create_woman(session)
    pregnancy = create_pregnancy(session, woman, factors=["uterine_scar"])
    first = create_visit(session, pregnancy, visit_no=1, weight_kg="61.5")
    new = other_scope(scope, world)
    apply_scope(session, new)
    grant_access(session, woman.id, world["other"])
    session.expire_all()
    with pytest.raises(errors.PregnancyOpen):
        create_pregnancy(session, woman)
    with pytest.raises(errors.NotLeading):
        create_visit(session, pregnancy, visit_no=2)
    found = repository.open_in_region(session, woman.id)
    assert found == repository.OpenElsewhere(pregnancy.id, world["polyclinic"])
    taken = services(session)[0].take_over(pregnancy.id, TakeOver(reason="Көшіп келді"))
    assert taken.id == pregnancy.id
    assert [row.id for row, _ in repository.visits(session, pregnancy.id)] == [first.id]
    create_visit(session, pregnancy, visit_no=2, weight_kg="62")
    scar = repository.factors(session, pregnancy.id)[0]
    services(session)[1].remove_factor(pregnancy.id, scar.id)
    assert services(session)[0].get(pregnancy.id).risk_group == "low"
    with pytest.raises(errors.LeadsAlready):
        services(session)[0].take_over(pregnancy.id, TakeOver(reason="Тағы да"))
    count = "select count(*) from pregnancy where patient_id = :p"
    assert session.execute(text(count), {"p": woman.id}).scalar_one() == 1
    led = repository.open_pregnancy_of(session, woman.id)
    assert led is not None
    assert (led.organisation_id, led.practitioner_id) == (world["other"], world["other_practitioner"])

    apply_scope(session, scope)
    session.expire_all()
    assert [row.visit_no for row, _ in repository.visits(session, pregnancy.id)] == [2, 1]
    assert len(repository.care_history(session, pregnancy.id)) == 2
    with pytest.raises(errors.NotLeading):
        create_visit(session, pregnancy, visit_no=3)
    with pytest.raises(errors.NotLeading):
        services(session)[0].end(pregnancy.id, EndPregnancy(ended_on=TODAY, outcome="miscarriage"))


def test_a_stranger_sees_and_takes_nothing(session: Session, scope: Scope, world: dict[str, int]) -> None:
    woman = create_woman(session).id
    pregnancy = create_pregnancy(session, repository.patient(session, woman)).id
    apply_scope(session, other_scope(scope, world))
    session.expunge_all()
    assert repository.pregnancy(session, pregnancy) is None
    assert repository.open_in_region(session, woman) is None
    with pytest.raises(DBAPIError, match="no such open pregnancy"), session.begin_nested():
        repository.take_over(session, pregnancy, world["other"], None, TODAY, "because")


def test_two_merged_records_have_one_open_pregnancy(session: Session) -> None:
    record, survivor = create_woman(session), create_woman(session, surname="Тоқаева")
    pregnancy = create_pregnancy(session, record)
    merging.merge(session, record.id, survivor.id, "Бір адам", NOW)
    session.expire_all()
    for patient in (record, survivor):
        with pytest.raises(errors.PregnancyOpen):
            create_pregnancy(session, patient)
        led = repository.open_pregnancy_of(session, patient.id)
        assert led is not None
        assert led.pregnancy.id == pregnancy.id


def test_correction_moves_term_plan_risk_and_visits(session: Session) -> None:
    pregnancy = create_pregnancy(session, height_cm=160, weight_before_kg="80")
    visit = create_visit(session, pregnancy, visit_no=1)
    assert visit.gestation_days == 84
    wanted = CorrectPregnancy(
        last_menstrual_date=LMP - timedelta(days=28), gravida=2, para=1, height_cm=170, weight_before_kg=Decimal("60"),
        reason="УДЗ бойынша",
    )  # fmt: skip
    services(session)[0].correct(pregnancy.id, wanted)
    assert pregnancy.expected_delivery_date == LMP + timedelta(days=252)
    assert visit.gestation_days == 112
    plan = {row.visit_no: row for row in repository.planned(session, pregnancy.id)}
    assert plan[3].due_from == LMP + timedelta(weeks=16)
    assert [row.factor_code for row in repository.factors(session, pregnancy.id)] == ["late_registration"]
    assert pregnancy.risk_group == "moderate"
    with pytest.raises(errors.ReasonNeeded):
        services(session)[0].correct(pregnancy.id, wanted.model_copy(update={"reason": " "}))
    future = wanted.model_copy(update={"last_menstrual_date": TODAY + timedelta(days=1)})
    with pytest.raises(errors.MenstruationInFuture):
        services(session)[0].correct(pregnancy.id, future)


def test_end_is_announced_and_taken_back(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[PregnancyEnded] = []
    monkeypatch.setitem(events._at_once, PregnancyEnded, (lambda *parts: told.append(parts[1]),))
    pregnancies = services(session)[0]
    pregnancy = create_pregnancy(session)
    create_visit(session, pregnancy)
    for day in (TODAY + timedelta(days=1), LMP - timedelta(days=1)):
        with pytest.raises(errors.EndOutside):
            pregnancies.end(pregnancy.id, EndPregnancy(ended_on=day, outcome="miscarriage"))
    with pytest.raises(errors.BirthOutOfTerm):
        pregnancies.end(pregnancy.id, EndPregnancy(ended_on=TODAY, outcome="birth"))
    with pytest.raises(errors.EndBeforeVisit), session.begin_nested():
        pregnancies.end(pregnancy.id, EndPregnancy(ended_on=TODAY - timedelta(days=5), outcome="miscarriage"))
    session.refresh(pregnancy)
    pregnancies.end(pregnancy.id, EndPregnancy(ended_on=TODAY, outcome="miscarriage"))
    assert [(event.subject_id, event.patient_id) for event in told] == [(pregnancy.id, pregnancy.patient_id)]
    with pytest.raises(errors.PregnancyEndedAlready):
        pregnancies.end(pregnancy.id, EndPregnancy(ended_on=TODAY, outcome="miscarriage"))
    assert repository.open_pregnancy_of(session, pregnancy.patient_id) is None
    assert repository.pregnancy_at(session, pregnancy.patient_id, NOW + timedelta(days=40)) is not None
    assert repository.pregnancy_at(session, pregnancy.patient_id, NOW + timedelta(days=43)) is None
    pregnancies.reopen(pregnancy.id, "Қате белгіленді")
    assert repository.open_pregnancy_of(session, pregnancy.patient_id) is not None


def test_void_frees_the_place_and_restore_needs_it(session: Session) -> None:
    pregnancies = services(session)[0]
    woman = create_woman(session)
    wrong = create_pregnancy(session, woman)
    pregnancies.void(wrong.id, "Басқа әйелге жазылған")
    with pytest.raises(errors.PregnancyVoided):
        pregnancies.end(wrong.id, EndPregnancy(ended_on=TODAY, outcome="missed"))
    create_pregnancy(session, woman)
    with pytest.raises(errors.PregnancyOpen):
        pregnancies.restore(wrong.id, "Қайтару")


def test_body_mass_index_and_groups() -> None:
    assert ruleset.body_mass_index(170, Decimal("72.25")) == Decimal("25.0")
    assert ruleset.body_mass_index(None, Decimal("72")) is None
    assert ruleset.risk_group([], TODAY) == "low"
    assert ruleset.risk_group(["short_interval", "diabetes"], TODAY) == "high"
    assert [ruleset.trimester(LMP, LMP + timedelta(days=n)) for n in (0, 97, 98, 195, 196)] == [1, 1, 2, 2, 3]
    assert ruleset.automatic_factors({"age": 17}, TODAY) == {"age_extreme"}
    assert ruleset.automatic_factors({"age": 35}, TODAY) == {"age_extreme"}
    assert ruleset.automatic_factors({"age": 18, "bmi": Decimal("18.5"), "para": 4}, TODAY) == set()


def test_merged_records_with_a_pregnancy_each_are_pointed_at(session: Session) -> None:
    record, survivor = create_woman(session), create_woman(session, surname="Тоқаева")
    first, second = create_pregnancy(session, record), create_pregnancy(session, survivor)
    assert repository.other_open(session, first) is None
    merging.merge(session, record.id, survivor.id, "Бір адам", NOW)
    session.expire_all()
    assert repository.other_open(session, first) == second.id
    services(session)[0].void(second.id, "Қайталанған")
    assert repository.other_open(session, first) is None


def test_death_ends_the_pregnancy_and_its_void_opens_it(session: Session) -> None:
    record, survivor = create_woman(session), create_woman(session, surname="Тоқаева")
    pregnancy = create_pregnancy(session, record)
    merging.merge(session, record.id, survivor.id, "Бір адам", NOW)
    change = text("update patient set death_date = :day where id = :key")
    session.execute(change, {"day": TODAY, "key": survivor.id})
    session.refresh(pregnancy)
    assert (pregnancy.ended_on, pregnancy.outcome) == (TODAY, "mother_died")
    session.execute(change, {"day": None, "key": survivor.id})
    session.refresh(pregnancy)
    assert (pregnancy.ended_on, pregnancy.outcome) == (None, None)
    services(session)[0].end(pregnancy.id, EndPregnancy(ended_on=TODAY - timedelta(days=1), outcome="missed"))
    session.execute(change, {"day": TODAY, "key": survivor.id})
    session.refresh(pregnancy)
    assert pregnancy.outcome == "missed"
