"""Changes of staff, sites and names keep history; the database's refusals have names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.organisation import errors, repository, service
from operational.domains.organisation.schemas import AssignSite, MoveStaff, NewSite, NewStaff, Rename
from operational.kit.access import Scope
from operational.kit.errors import NotFound
from tests.conftest import rolled_back
from tests.factories import LONG_AGO

TODAY = date(2026, 11, 24)
MARCH = date(2026, 3, 1)
World = dict[str, int]


@pytest.fixture
def codes(session: Session) -> None:
    """The few entries of small directories that the tests name."""
    for directory, code in (("position", "gp"), ("specialty", "therapy"), ("position", "department_head")):
        session.execute(
            text(
                "insert into coded_value (directory_code, code, name_kk, name_ru) values (:d, :c, :c, :c)"
                " on conflict do nothing"
            ),
            {"d": directory, "c": code},
        )


@pytest.fixture
def elsewhere(settings: Settings, world: World) -> Iterator[Session]:
    """A session in the scope of the other organisation."""
    yield from rolled_back(settings, Scope(user_id=None, organisation_ids=frozenset({world["other"]})))


def moving(world: World, day: date, position: str = "gp") -> MoveStaff:
    """A move within the department."""
    return MoveStaff(
        department_id=world["department"], position_code=position, specialty_code="therapy", valid_from=day
    )


def hire(session: Session, world: World, surname: str = "Ахметов") -> int:
    """A new practitioner of the polyclinic."""
    new = NewStaff(
        surname=surname, given_name="Әлібек", department_id=world["department"], position_code="gp",
        specialty_code="therapy", valid_from=LONG_AGO,
    )  # fmt: skip
    return service.add_staff(session, world["polyclinic"], new, TODAY).practitioner_id


def test_moving_a_doctor_ends_the_old_position_and_begins_the_new_one(
    session: Session, world: World, codes: None
) -> None:
    new = service.move_staff(session, world["role"], moving(world, MARCH))
    old = repository.role(session, world["role"])
    assert old is not None
    assert (old.valid_from, old.valid_to) == (LONG_AGO, MARCH)
    assert (new.valid_from, new.valid_to, new.practitioner_id) == (MARCH, None, world["practitioner"])
    february = [r.role.id for r in repository.staff(session, world["polyclinic"], date(2026, 2, 28))]
    assert world["role"] in february and new.id not in february
    assert new.id in [r.role.id for r in repository.staff(session, world["polyclinic"], MARCH)]


def test_a_move_that_begins_too_early_or_after_the_end_is_refused(session: Session, world: World, codes: None) -> None:
    with pytest.raises(errors.PeriodReversed):
        service.move_staff(session, world["role"], moving(world, LONG_AGO))
    service.move_staff(session, world["role"], moving(world, MARCH))
    with pytest.raises(errors.RoleEnded):
        service.move_staff(session, world["role"], moving(world, TODAY))


def test_a_move_into_a_position_that_is_held_is_refused_by_the_database(
    session: Session, world: World, codes: None
) -> None:
    practitioner = hire(session, world)
    role = repository.roles_of(session, practitioner)[0].role
    session.execute(
        text(
            "insert into practitioner_role (practitioner_id, organisation_id, department_id, specialty_code,"
            " position_code, valid_from) values (:p, :o, :d, 'therapy', 'department_head', '2020-01-01')"
        ),
        {"p": practitioner, "o": world["polyclinic"], "d": world["department"]},
    )
    with pytest.raises(errors.PositionTaken):
        service.move_staff(session, role.id, moving(world, MARCH, "department_head"))
    # The refused change is undone as a whole: the old position still holds.
    assert session.scalar(text("select valid_to from practitioner_role where id = :i"), {"i": role.id}) is None


def test_foreign_departments_and_unknown_codes_are_refused(session: Session, world: World, codes: None) -> None:
    foreign = MoveStaff(
        department_id=world["other_department"], position_code="gp", specialty_code="therapy", valid_from=MARCH
    )
    with pytest.raises(errors.NotOfThisOrganisation):
        service.move_staff(session, world["role"], foreign)
    with pytest.raises(errors.UnknownCode):
        service.move_staff(session, world["role"], moving(world, MARCH, "wizard"))


def test_a_site_changes_hands_on_a_day(session: Session, world: World, codes: None) -> None:
    new = hire(session, world)
    service.assign_site(session, world["site"], AssignSite(practitioner_id=new, valid_from=MARCH))
    history = [
        (row.practitioner.id, row.assignment.valid_from, row.assignment.valid_to)
        for row in repository.assignments(session, world["site"])
    ]
    assert history == [(new, MARCH, None), (world["practitioner"], LONG_AGO, MARCH)]
    february = repository.sites(session, world["polyclinic"], date(2026, 2, 28))
    assert february[0].doctor is not None and february[0].doctor.id == world["practitioner"]


def test_a_doctor_who_takes_another_site_leaves_the_first(session: Session, world: World, codes: None) -> None:
    second = service.add_site(
        session, world["polyclinic"],
        NewSite(code="77", kind="therapeutic", name_kk="№ 77 учаске", name_ru="Участок № 77", valid_from=LONG_AGO),
        TODAY,
    )  # fmt: skip
    service.assign_site(session, second.id, AssignSite(practitioner_id=world["practitioner"], valid_from=MARCH))
    left = repository.assignments(session, world["site"])[0].assignment
    assert left.valid_to == MARCH


def test_a_site_goes_only_to_who_works_in_its_organisation(session: Session, world: World) -> None:
    with pytest.raises(errors.NotOfThisOrganisation):
        service.assign_site(
            session, world["site"], AssignSite(practitioner_id=world["other_practitioner"], valid_from=MARCH)
        )


def test_the_first_day_of_an_assignment_cannot_be_taken_over(session: Session, world: World, codes: None) -> None:
    with pytest.raises(errors.PeriodReversed):
        service.assign_site(
            session, world["site"], AssignSite(practitioner_id=hire(session, world), valid_from=LONG_AGO)
        )


def test_a_code_is_used_once_in_an_organisation(session: Session, world: World) -> None:
    with pytest.raises(errors.CodeTaken):
        service.add_site(
            session, world["polyclinic"],
            NewSite(code="1", kind="therapeutic", name_kk="Учаске", name_ru="Участок", valid_from=LONG_AGO), TODAY,
        )  # fmt: skip


def test_an_earlier_name_stays_for_earlier_days(session: Session, world: World) -> None:
    wanted = Rename(name_kk="Жаңа атау", name_ru="Новое название", valid_from=MARCH)
    service.rename(session, world["polyclinic"], wanted, TODAY)
    now = service.organisation(session, world["polyclinic"], TODAY)
    before = service.organisation(session, world["polyclinic"], date(2026, 2, 28))
    assert now.name_ru == "Новое название" != before.name_ru
    assert now.parent_id == before.parent_id == world["region"]
    with pytest.raises(errors.PeriodReversed):
        service.rename(session, world["polyclinic"], wanted, TODAY)


def test_staff_is_found_by_name_as_patients_are(session: Session, world: World, codes: None) -> None:
    hire(session, world, "Өмірбеков")
    found = service.find_staff(session, world["polyclinic"], TODAY, "омирбеков алибек")
    assert [row.practitioner.surname for row in found] == ["Өмірбеков"]
    assert len(service.find_staff(session, world["polyclinic"], TODAY, "")) >= 2


def test_another_organisation_sees_and_changes_nothing(elsewhere: Session, world: World) -> None:
    assert [branch.organisation.id for branch in service.tree(elsewhere, TODAY)] == [world["other"]]
    for refused in (
        lambda: service.organisation(elsewhere, world["polyclinic"], TODAY),
        lambda: service.find_staff(elsewhere, world["polyclinic"], TODAY, ""),
        lambda: service.site_of_scope(elsewhere, world["site"]),
        lambda: service.staff_of_scope(elsewhere, world["practitioner"]),
        lambda: service.move_staff(elsewhere, world["role"], moving(world, MARCH)),
    ):
        with pytest.raises(NotFound):
            refused()


def test_the_tree_shows_parents_before_children(settings: Settings, world: World) -> None:
    everything = frozenset({world["region"], world["polyclinic"], world["other"]})
    for session in rolled_back(settings, Scope(user_id=None, organisation_ids=everything)):
        branches = service.tree(session, TODAY)
        assert branches[0].organisation.id == world["region"]
        assert {b.depth for b in branches[1:]} == {1}
