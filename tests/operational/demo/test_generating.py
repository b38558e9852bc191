"""The synthetic district: repeatable, plausible, and within the rules of the store."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from kmis import iin
from operational.demo import people as population
from operational.demo.generating import Demonstration, generate
from operational.demo.tables import Table
from tests.operational.demo.conftest import NOW, POPULATION, SEED, ZONE

# Tables that another seed must fill otherwise.
CHANCE = ("patient", "appointment", "encounter", "condition", "hospital_stay", "ward_movement", "pregnancy_visit",
          "lab_result", "home_call", "signal_case")  # fmt: skip


def dicts(table: Table) -> list[dict[str, Any]]:
    """The rows of a table by column name."""
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def local_day(at: datetime) -> date:
    """The day in the district's zone of a time that the tables hold in UTC."""
    return (at + timedelta(hours=5)).date()


def test_the_same_seed_gives_the_same_district_and_another_seed_another() -> None:
    made = generate(250, 1, SEED, NOW, ZONE)
    first = made.store.digests()
    again = generate(250, 1, SEED, NOW, ZONE)
    assert again.store.digests() == first
    assert again.files == made.files
    other = generate(250, 1, SEED + 1, NOW, ZONE).store.digests()
    assert all(other[name] != first[name] for name in CHANCE)


def test_ages_and_sexes_follow_the_pyramid(made: Demonstration) -> None:
    today = made.today
    people = made.register.people
    found = Counter((p.sex, min(population.age_on(p.birth, today) // 5 * 5, 100)) for p in people)
    for sex, first, _, share in population.pyramid():
        assert found[sex, first] / POPULATION == pytest.approx(share, abs=0.002), (sex, first)


def test_every_iin_is_valid_and_agrees_unless_it_says_why_not(made: Demonstration) -> None:
    seen = set()
    for row in dicts(made.store.patient):
        if row["iin"] is None:
            assert row["identity_kind"] != "citizen"
            continue
        assert iin.is_valid(row["iin"])
        assert row["iin"] not in seen
        seen.add(row["iin"])
        contradicts = bool(iin.disagreements(row["iin"], row["birth_date"], row["sex"]))
        assert contradicts == (row["iin_mismatch_reason"] is not None)


def test_children_live_with_a_mother_of_plausible_age(made: Demonstration) -> None:
    people = made.register.people
    children = [p for p in people if p.mother is not None]
    assert len(children) > POPULATION / 5
    for child in children:
        assert child.mother is not None
        mother = people[child.mother]
        assert mother.sex == "F" and mother.household == child.household
        assert 15 <= population.age_on(mother.birth, child.birth) <= 60


def test_a_persons_attachments_do_not_overlap(made: Demonstration) -> None:
    by_person: dict[int, list[tuple[date, date]]] = defaultdict(list)
    for row in dicts(made.store.attachment):
        by_person[row["patient_id"]].append((row["valid_from"], row["valid_to"] or date.max))
    moved = 0
    for periods in by_person.values():
        periods.sort()
        assert all(first[1] <= second[0] for first, second in pairwise(periods))
        moved += len(periods) > 1
    assert moved > 10


def test_no_visit_lies_outside_the_doctors_position_and_organisation(made: Demonstration) -> None:
    roles = {row["id"]: row for row in dicts(made.store.practitioner_role)}
    departments = {row["id"]: row for row in dicts(made.store.department)}
    for row in dicts(made.store.encounter):
        role = roles[row["practitioner_role_id"]]
        assert role["organisation_id"] == row["owner_organisation_id"]
        assert role["practitioner_id"] == row["practitioner_id"]
        assert departments[row["department_id"]]["organisation_id"] == row["owner_organisation_id"]
        day = local_day(row["started_at"])
        assert role["valid_from"] <= day and (role["valid_to"] is None or day < role["valid_to"])


def test_bookings_stand_in_their_slots_and_nobody_is_in_two_places(made: Demonstration) -> None:
    slots = {row["id"]: row for row in dicts(made.store.slot)}
    taken: set[int] = set()
    by_person: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in dicts(made.store.appointment):
        slot = slots[row["slot_id"]]
        assert (slot["starts_at"], slot["ends_at"]) == (row["starts_at"], row["ends_at"])
        assert slot["blocked_at"] is None
        if row["status"] == "cancelled":
            assert row["cancel_reason"] and row["cancelled_at"] >= row["booked_at"]
            continue
        assert row["slot_id"] not in taken
        taken.add(row["slot_id"])
        by_person[row["patient_id"]].append((row["starts_at"], row["ends_at"]))
    for times in by_person.values():
        times.sort()
        assert all(first[1] <= second[0] for first, second in pairwise(times))


def test_today_goes_on_and_the_next_weeks_have_free_slots(made: Demonstration) -> None:
    now = NOW.replace(tzinfo=None)
    bookings = dicts(made.store.appointment)
    todays = Counter(row["status"] for row in bookings if local_day(row["starts_at"]) == made.today)
    assert todays["fulfilled"] and todays["booked"]
    booked = {row["slot_id"] for row in bookings if row["status"] != "cancelled"}
    ahead = [row for row in dicts(made.store.slot) if row["starts_at"] > now]
    assert max(local_day(row["starts_at"]) for row in ahead) >= made.today + timedelta(days=10)
    free = [row for row in ahead if row["id"] not in booked]
    assert 0.2 < len(free) / len(ahead) < 0.9
    for row in bookings:
        assert row["booked_at"] <= now
        if row["starts_at"] > now:
            assert row["status"] in ("booked", "arrived", "cancelled")
    assert max(row["ended_at"] for row in dicts(made.store.encounter)) <= now + timedelta(minutes=1)


@pytest.mark.parametrize("hour", [1, 17])
def test_at_any_hour_somebody_is_still_expected_today(hour: int) -> None:
    made = generate(250, 1, 5, NOW.replace(hour=hour), ZONE)
    now = NOW.replace(hour=hour, tzinfo=None)
    assert any(row["starts_at"] > now and local_day(row["starts_at"]) == made.today for row in dicts(made.store.slot))


def test_seasons_chronic_patients_errors_and_merges_are_there(made: Demonstration) -> None:
    visits = {row["id"]: row for row in dicts(made.store.encounter)}
    conditions = dicts(made.store.condition)
    respiratory = Counter(
        local_day(row["recorded_at"]).month for row in conditions if row["icd10_code"].startswith("J")
    )
    assert respiratory[1] + respiratory[2] > 2 * (respiratory[7] + respiratory[8])
    known: Counter[tuple[int, str]] = Counter(
        (row["patient_id"], row["icd10_code"]) for row in conditions if row["character"] == "chronic_known"
    )
    assert sum(1 for times in known.values() if times > 1) > 20
    first = [row for row in conditions if row["character"] == "chronic_first" and row["voided_at"] is None]
    assert len({(row["patient_id"], row["icd10_code"]) for row in first}) == len(first)
    voided = [row for row in visits.values() if row["status"] == "entered_in_error"]
    assert voided and all(row["void_reason"] and row["voided_at"] for row in voided)
    for row in conditions:
        if visits[row["encounter_id"]]["voided_at"] is not None:
            assert row["voided_at"] is not None
    assert len(made.store.patient_merge) >= 3
    assert {row["place"] for row in visits.values()} >= {"polyclinic", "home"}
    assert {row["visit_reason"] for row in visits.values()} >= {"preventive_exam", "injury", "dynamic_observation"}
    assert {row["status"] for row in dicts(made.store.service_request)} >= {"active", "completed"}


def test_a_size_that_makes_no_district_is_refused() -> None:
    with pytest.raises(ValueError, match="population"):
        generate(10, 1, 1, NOW, ZONE)
    with pytest.raises(ValueError, match="years"):
        generate(1000, 0, 1, NOW, ZONE)
