"""Two records of one person: made one, taken apart, never lost."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.patients import errors, merging, repository, service
from operational.domains.patients.models import Patient
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from tests.operational.patients.builders import TODAY, registered

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WHY = "Бір адам, құжаттары салыстырылды"


def _people(session: Session, count: int) -> list[Patient]:
    names = ("Алма", "Балжан", "Гүлнар", "Дана")
    return [registered(session, surname="Жұмабаева", given_name=name) for name in names[:count]]


def _survivors(session: Session, people: list[Patient]) -> list[int | None]:
    for patient in people:
        session.refresh(patient)
    return [patient.merged_into_id for patient in people]


@pytest.mark.requirement("REG-09")
def test_merged_records_are_found_as_one_by_both_numbers(session: Session) -> None:
    a, b = _people(session, 2)
    assert merging.merge(session, a.id, b.id, WHY, NOW) is b
    for typed in (a.iin, b.iin, f"№{a.patient_no}", f"№{b.patient_no}", "Жумабаева Алма", "Жумабаева Балжан"):
        found = service.search(session, str(typed), TODAY)
        assert [patient.id for patient in found.patients] == [b.id]
        assert found.merged == {b.id: [a]}
    assert [record.id for record in repository.records_of(session, b.id)] == [b.id, a.id]


def test_separation_brings_both_back(session: Session) -> None:
    a, b = _people(session, 2)
    merging.merge(session, a.id, b.id, WHY, NOW)
    assert _survivors(session, [a, b]) == [b.id, None]
    merging.separate(session, a.id, "Екі бөлек адам", NOW)
    assert _survivors(session, [a, b]) == [None, None]
    (decision,) = repository.merges_of(session, [a.id])
    assert (decision.reason, decision.separation_reason) == (WHY, "Екі бөлек адам")
    assert decision.separated_at == NOW
    assert merging.merge(session, b.id, a.id, WHY, NOW) is a
    assert _survivors(session, [a, b]) == [None, a.id]


def test_chain_names_the_last_survivor_and_comes_apart_link_by_link(session: Session) -> None:
    a, b, c, d = people = _people(session, 4)
    merging.merge(session, a.id, b.id, WHY, NOW)
    merging.merge(session, b.id, c.id, WHY, NOW)
    assert _survivors(session, people) == [c.id, c.id, None, None]
    merging.merge(session, d.id, a.id, WHY, NOW)  # into whom a belongs to
    assert _survivors(session, people) == [c.id, c.id, None, c.id]
    merging.separate(session, b.id, WHY, NOW)
    assert _survivors(session, people) == [b.id, None, None, c.id]
    merging.separate(session, a.id, WHY, NOW)
    assert _survivors(session, people) == [None, None, None, c.id]
    assert len(repository.merges_of(session, [p.id for p in people])) == 3


def test_refused_merges(session: Session) -> None:
    a, b, c, d = _people(session, 4)
    with pytest.raises(errors.SameRecord):
        merging.merge(session, a.id, a.id, WHY, NOW)
    with pytest.raises(errors.ReasonRequired):
        merging.merge(session, a.id, b.id, " ", NOW)
    with pytest.raises(errors.PatientNotFound):
        merging.merge(session, a.id, 0, WHY, NOW)
    merging.merge(session, a.id, b.id, WHY, NOW)
    with pytest.raises(errors.AlreadyOnePerson):
        merging.merge(session, b.id, a.id, WHY, NOW)
    with pytest.raises(errors.AlreadyOnePerson):
        merging.merge(session, a.id, b.id, WHY, NOW)
    with pytest.raises(errors.AlreadyMerged):
        merging.merge(session, a.id, c.id, WHY, NOW)
    d.voided_at, d.void_reason = NOW, "Қате енгізілген"
    session.flush()
    with pytest.raises(errors.VoidedRecord):
        merging.merge(session, c.id, d.id, WHY, NOW)
    with pytest.raises(errors.NotMerged):
        merging.separate(session, c.id, WHY, NOW)


def test_database_refuses_a_ring_and_a_record_in_itself(session: Session, world: dict[str, int]) -> None:
    a, b = _people(session, 2)
    merging.merge(session, a.id, b.id, WHY, NOW)
    insert = text(
        "insert into patient_merge (owner_organisation_id, source_patient_id, target_patient_id, reason)"
        " values (:owner, :source, :target, 'x')"
    )
    for source, target, constraint in ((b.id, a.id, "ring"), (b.id, b.id, "two_records")):
        with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
            session.execute(insert, {"owner": world["polyclinic"], "source": source, "target": target})


def test_merged_record_is_not_edited(session: Session) -> None:
    from operational.domains.patients.schemas import Edit

    a, b = _people(session, 2)
    merging.merge(session, a.id, b.id, WHY, NOW)
    with pytest.raises(errors.MergedRecordFixed):
        service.edit(session, a.id, Edit(surname="Ахметова", given_name="Алма", reason=WHY), TODAY)


def test_comparison_names_what_differs(session: Session) -> None:
    a, b = _people(session, 2)
    compared = merging.compare(session, a.id, b.id)
    assert "given_name" in compared.differing
    assert "surname" not in compared.differing


def test_merge_reaches_records_of_organisations_outside_the_scope(
    session: Session, scope: Scope, world: dict[str, int], settings: Settings
) -> None:
    elsewhere = Scope(scope.user_id, frozenset({world["other"]}), home_organisation_id=world["other"])
    apply_scope(session, elsewhere)
    x, a = _people(session, 2)
    merging.merge(session, x.id, a.id, WHY, NOW)
    assert a.iin is not None
    apply_scope(session, scope)
    assert repository.get(session, x.id) is None
    assert service.open_by_iin(session, a.iin, "Пациент келді") == a.id
    b = registered(session, surname="Сапарова", given_name="Дана")
    merging.merge(session, a.id, b.id, WHY, NOW)
    apply_scope(session, elsewhere)
    assert _survivors(session, [x, a, b]) == [b.id, b.id, None]


def test_merge_and_separation_are_audited_and_fed_with_the_reason(session: Session) -> None:
    a, b = _people(session, 2)
    merging.merge(session, a.id, b.id, WHY, NOW)
    merging.separate(session, a.id, "Қате біріктірілген", NOW)
    audited = session.execute(
        text("select action, reason from audit_event where object_id = any(:ids) and action <> 'patient.registered'"
             " order by id"),
        {"ids": [a.id, b.id]},
    ).all()  # fmt: skip
    assert [tuple(row) for row in audited] == [
        ("patient.merged", WHY),
        ("patient.separated", "Қате біріктірілген"),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_random_merges_and_separations_agree_with_a_model(session: Session, seed: int) -> None:
    chance = random.Random(seed)
    people = [
        registered(session, surname="Сапарова", given_name=name)
        for name in ("Алма", "Балжан", "Гүлнар", "Дана", "Ерке", "Жанар")
    ]
    model: dict[int, int] = {}

    def survivor(key: int) -> int:
        while key in model:
            key = model[key]
        return key

    for _ in range(40):
        source, target = (person.id for person in chance.sample(people, 2))
        if chance.random() < 0.4:
            if source in model:
                merging.separate(session, source, WHY, NOW)
                del model[source]
            else:
                with pytest.raises(errors.NotMerged):
                    merging.separate(session, source, WHY, NOW)
        elif source in model or survivor(target) == source:
            with pytest.raises(errors.MergeRefused):
                merging.merge(session, source, target, WHY, NOW)
        else:
            assert merging.merge(session, source, target, WHY, NOW).id == survivor(target)
            model[source] = survivor(target)
        expected = [survivor(person.id) if person.id in model else None for person in people]
        assert _survivors(session, people) == expected
