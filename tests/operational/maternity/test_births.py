"""Births: they end the pregnancy, twins are one delivery, hospitals write them too, and every refusal."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from operational.domains.maternity import errors, repository
from operational.domains.patients import merging
from operational.domains.patients import repository as patients
from operational.events.maternity import PregnancyEnded
from operational.kit import events
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from operational.kit.errors import BusinessError, NotFound
from tests.operational.maternity.factories import (
    TODAY,
    create_birth,
    create_pregnancy,
    create_visit,
    create_woman,
    grant_access,
    services,
)
from tests.operational.maternity.test_pregnancies import other_scope
from tests.operational.stage import NOW

AT_TERM = TODAY - timedelta(days=273)  # thirty-nine weeks


@pytest.mark.requirement("PREG-07")
def test_hospital_writes_the_birth_that_ends_the_pregnancy(
    session: Session, scope: Scope, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[PregnancyEnded] = []
    monkeypatch.setitem(events._at_once, PregnancyEnded, (lambda *parts: told.append(parts[1]),))
    woman = create_woman(session)
    pregnancy = create_pregnancy(session, woman, last_menstrual_date=AT_TERM)
    apply_scope(session, other_scope(scope, world))
    grant_access(session, woman.id, world["other"])
    session.expire_all()
    birth = create_birth(session, woman.id)
    assert (birth.owner_organisation_id, birth.pregnancy_id) == (world["other"], pregnancy.id)
    assert (birth.gestation_weeks, birth.delivery_date) == (39, TODAY)
    assert (pregnancy.ended_on, pregnancy.outcome) == (TODAY, "birth")
    assert [event.subject_id for event in told] == [pregnancy.id]
    with pytest.raises(errors.NotLeading):
        create_visit(session, pregnancy)

    apply_scope(session, scope)
    session.expire_all()
    assert [row.id for row in repository.births(session, pregnancy.id)] == [birth.id]
    with pytest.raises(NotFound):
        services(session)[2].void(birth.id, "Біздікі емес")
    with pytest.raises(errors.HasBirths):
        services(session)[0].reopen(pregnancy.id, "Қате")


@pytest.mark.requirement("BIRTH-06")
def test_twins_around_midnight_are_one_delivery(session: Session) -> None:
    woman = create_woman(session)
    pregnancy = create_pregnancy(session, woman, last_menstrual_date=AT_TERM)
    day = TODAY - timedelta(days=1)
    first = create_birth(session, woman.id, born_at=f"{day}T23:50:00", plurality=2, register_child_flag=True)
    second = create_birth(
        session, woman.id, born_at=f"{TODAY}T00:20:00", plurality=2, birth_order=2, sex="F", register_child_flag=True
    )
    assert first.delivery_date == second.delivery_date == day
    assert second.pregnancy_id == pregnancy.id
    children = [patients.get(session, key or 0) for key in (first.child_patient_id, second.child_patient_id)]
    assert [(child.mother_id, child.birth_order, child.sex) for child in children if child] == [
        (woman.id, 1, "M"), (woman.id, 2, "F")
    ]  # fmt: skip
    assert [child.birth_date for child in children if child] == [day, TODAY]
    with pytest.raises(errors.BirthOrderTaken), session.begin_nested():
        create_birth(session, woman.id, plurality=2, birth_order=2)
    with pytest.raises(errors.PluralityDiffers):
        create_birth(session, woman.id, plurality=3, birth_order=3)
    births = services(session)[2]
    session.expire_all()
    births.void(second.id, "Қате")
    session.refresh(pregnancy)
    assert pregnancy.outcome == "birth"
    births.void(first.id, "Қате")
    session.refresh(pregnancy)
    assert repository.open_pregnancy_of(session, woman.id) is not None


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"born_at": "2026-11-25T10:00:00"}, errors.BirthInFuture, "born_at"),
        ({"birth_order": 2}, errors.BirthOrderWrong, "birth_order"),
        ({"delivery_date": TODAY - timedelta(days=3)}, errors.DeliveryDayWrong, "delivery_date"),
        ({"gestation_weeks": 30}, errors.WeeksDiffer, "gestation_weeks"),
        ({"born_at": "2026-05-10T10:00:00"}, errors.BirthOutOfTerm, "born_at"),
        ({"department_id": 0}, errors.DepartmentOfAnother, "department_id"),
    ],
)
def test_refused_births(session: Session, values: dict[str, Any], refusal: type[BusinessError], field: str) -> None:
    woman = create_woman(session)
    create_pregnancy(session, woman, last_menstrual_date=AT_TERM)
    with pytest.raises(refusal) as caught:
        create_birth(session, woman.id, **values)
    assert caught.value.field == field


def test_post_term_birth_is_refused(session: Session) -> None:
    woman = create_woman(session)
    create_pregnancy(session, woman, last_menstrual_date=TODAY - timedelta(days=320))
    assert create_birth(session, woman.id).gestation_weeks == 45
    early = create_woman(session, surname="Тоқаева")
    create_pregnancy(session, early, last_menstrual_date=TODAY - timedelta(days=139))
    with pytest.raises(errors.BirthOutOfTerm):
        create_birth(session, early.id)


def test_birth_before_a_visit_of_the_pregnancy(session: Session) -> None:
    woman = create_woman(session)
    create_visit(session, create_pregnancy(session, woman, last_menstrual_date=AT_TERM))
    with pytest.raises(errors.VisitAfterBirth):
        create_birth(session, woman.id, born_at="2026-11-20T10:00:00")


def test_birth_without_a_registered_pregnancy(session: Session) -> None:
    woman = create_woman(session)
    with pytest.raises(errors.WeeksDiffer):
        create_birth(session, woman.id)
    birth = create_birth(session, woman.id, gestation_weeks=38, vital_status="stillborn_antenatal",
                         register_child_flag=True)  # fmt: skip
    assert (birth.pregnancy_id, birth.child_patient_id) == (None, None)
    man = create_woman(session, sex="M")
    with pytest.raises(errors.NotAWoman):
        create_birth(session, man.id, gestation_weeks=38)


def test_birth_of_a_merged_record_ends_its_pregnancy(session: Session) -> None:
    record, survivor = create_woman(session), create_woman(session, surname="Тоқаева")
    pregnancy = create_pregnancy(session, record, last_menstrual_date=AT_TERM)
    merging.merge(session, record.id, survivor.id, "Бір адам", NOW)
    session.expire_all()
    birth = create_birth(session, survivor.id)
    assert (birth.patient_id, birth.pregnancy_id) == (record.id, pregnancy.id)
    assert pregnancy.outcome == "birth"


def test_the_database_refuses_too(session: Session, world: dict[str, int]) -> None:
    woman = create_woman(session)
    insert = text(
        "insert into birth (owner_organisation_id, patient_id, born_at, delivery_date, birth_order, plurality,"
        " vital_status, sex, delivery_mode, gestation_weeks, weight_g, child_patient_id) values (:o, :p, :at, :day,"
        " :n, :of, :vital, 'M', 'vaginal', :weeks, 3000, :child)"
    )
    good = {"o": world["polyclinic"], "p": woman.id, "at": NOW, "day": date(2026, 11, 24), "n": 1, "of": 1,
            "vital": "live", "weeks": 39, "child": None}  # fmt: skip
    for wrong, constraint in (
        ({"n": 2}, "ck_birth_plurality"),
        ({"weeks": 46}, "ck_birth_gestation"),
        ({"child": woman.id}, "ck_birth_child_is_another"),
        ({"vital": "stillborn_antenatal", "child": create_woman(session).id}, "ck_birth_child_lives"),
    ):
        with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
            session.execute(insert, good | wrong)
    session.execute(insert, good)
    with pytest.raises(IntegrityError, match="uq_birth_order"), session.begin_nested():
        session.execute(insert, good)
