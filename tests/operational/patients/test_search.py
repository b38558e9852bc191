"""The search by the database finds what the pure comparison finds, in the order of the Kazakh alphabet."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from kmis import names
from operational.domains.patients import service
from operational.domains.patients.models import Patient
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from tests.kmis.name_pairs import FOUND, NOT_FOUND, Person
from tests.operational.patients.builders import TODAY, registered


def _register(session: Session, person: Person) -> Patient:
    surname, given_name, patronymic, *earlier = person
    return registered(
        session, identity_kind="without_papers", surname=surname, given_name=given_name or "Аты",
        patronymic=patronymic or "", earlier_surnames=list(earlier[0]) if earlier else [],
    )  # fmt: skip


@pytest.mark.requirement("REG-02")
def test_database_finds_every_pair(session: Session) -> None:
    people = {person: _register(session, person) for person in {person for _, person in FOUND}}
    missed = [
        typed
        for typed, person in FOUND
        if people[person].id not in {p.id for p in service.search(session, typed, TODAY, limit=100).patients}
    ]
    assert missed == []


def test_database_does_not_find_others_except_by_likeness(session: Session) -> None:
    people = {person: _register(session, person) for person in {person for _, person in NOT_FOUND}}
    for typed, person in NOT_FOUND:
        found = service.search(session, typed, TODAY, limit=100)
        if typed.strip(" ."):
            assert found.reading == "similar" or people[person].id not in {p.id for p in found.patients}, typed


@pytest.mark.requirement("REG-02")
def test_each_way_of_searching(session: Session) -> None:
    born = date(1985, 3, 14)
    patient = registered(
        session, birth_date=born, phone="8 701 765 43 21", document_number="N 7654321", sex="M", surname="Әлиев"
    )
    registered(session, surname="Әлиев", sex="M")
    assert patient.iin is not None
    for typed in (
        patient.iin, f"{patient.iin[-4:]} 1985", f"әлиев {patient.iin[-4:]}", "14.03.1985", "алиев 1985",
        "алиев 14.03.1985", "8 (701) 765-43-21", "n7654321", f"№ {patient.patient_no}", str(patient.patient_no),
    ):  # fmt: skip
        assert [p.id for p in service.search(session, typed, TODAY).patients] == [patient.id], typed


def test_likeness_answers_when_nothing_matches(session: Session) -> None:
    patient = registered(session, surname="Сейтқалиева", given_name="Айгүл")
    found = service.search(session, "Сеитколиева Айгул", TODAY)
    assert (found.reading, [p.id for p in found.patients]) == ("similar", [patient.id])


def test_order_is_that_of_the_kazakh_alphabet(session: Session) -> None:
    surnames = ["Һасанов", "Әлиев", "Іздібаев", "Ғабитов", "Алиев", "Қасымов", "Өмірбек", "Ёлкин", "Ұзақов",
                "Үсенов", "Ңом", "Якушев", "Хасанов", "Ермеков", "Омаров", "Устинов", "Камалов"]  # fmt: skip
    for surname in surnames:
        registered(session, surname=surname, sex="M", given_name="Асан")
    found = service.search(session, "асан", TODAY, limit=50)
    shown = [patient.surname for patient in found.patients]
    assert shown == sorted(surnames, key=lambda s: [names.ALPHABET.index(c) for c in s.lower()])
    backwards = service.search(session, "асан", TODAY, limit=50, descending=True)
    assert [patient.surname for patient in backwards.patients] == shown[::-1]


def test_other_organisations_people_are_not_found(session: Session, scope: Scope, world: dict[str, int]) -> None:
    apply_scope(session, Scope(scope.user_id, frozenset({world["other"]}), home_organisation_id=world["other"]))
    patient = registered(session, surname="Жасырын", given_name="Адам", sex="M")
    apply_scope(session, scope)
    assert patient.iin is not None
    for typed in ("Жасырын", "Жасырынн Адам", patient.iin, str(patient.patient_no)):
        assert service.search(session, typed, TODAY).total == 0, typed
    for call in ("kmis_persons_named('[[\"% jasirin%\"]]')", "kmis_persons_alike('jasirin', 0.3)"):
        assert session.scalar(text(f"select count(*) from {call}")) == 0


def test_what_is_typed_is_a_value_not_code(session: Session) -> None:
    registered(session)
    for typed in ("' or true --", "%", "_", "\\", "өм%к", "ө_ірбек", "'; drop table patient; --"):
        found = service.search(session, typed, TODAY)
        assert found.patients == [] or found.reading == "similar", typed


def test_namesakes_in_any_list() -> None:
    people = [(1, "Әлиев", "Асан"), (2, "Алиев", "Асан"), (3, "Алиев", "Марат")]
    assert service.same_names(people) == {1, 2}
