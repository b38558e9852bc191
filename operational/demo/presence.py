"""What whoever looks today must find: people at the door of the hospital, in beds, and in intensive care."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Final

from operational.demo.attaching import Register
from operational.demo.hospital import Coming, HospitalPlanner
from operational.demo.people import age_on
from operational.demo.timing import Timing, weighted

AT_THE_DOOR: Final = 4
IN_INTENSIVE_CARE: Final = 2
# Discharged in the last days after something that a signal sheet asks for.
LEFT_LATELY: Final = (
    ("I21.9", 20, "doctor"), ("I63.9", 30, "doctor"), ("G45.9", 44, "any"), ("I20.0", 76, "doctor"),
    ("I63.9", 100, "queue"), ("G45.9", 8, "doctor"), ("I20.0", 26, "queue"),
)  # fmt: skip
ATTEMPTS: Final = 60
GRAVE: Final = ("I21.9", "I61.9", "J18.9")


def fill_today(
    rng: Random, planner: HospitalPlanner, register: Register, timing: Timing, doctor: int | None, queue: int
) -> None:
    """Add what chance has not given.

    People of the site ``doctor`` stand on its doctor's signal sheets, those of the organisation ``queue`` in its queue.
    """
    adults = [p for p, who in enumerate(register.people)
              if who.death is None and age_on(who.birth, timing.today) >= 45]  # fmt: skip
    rows = {illness.icd10: illness for row, illness in planner.table if illness.profile != "day_therapeutic"}
    here = {p: s for p in adults for s in register.stays[p] if s.until is None}
    groups = {
        "any": adults, "doctor": [p for p, stay in here.items() if stay.site == doctor],
        "queue": [p for p, stay in here.items() if stay.organisation == queue],
    }  # fmt: skip
    _lately(rng, planner, timing, groups)
    lying = sum(1 for c in planner.comings if c.admitted and c.discharged is None and c.icu)
    for number in range(ATTEMPTS):
        if lying >= IN_INTENSIVE_CARE:
            break
        arrived = timing.now - timedelta(hours=rng.randint(4, 14))
        decided = arrived + timedelta(minutes=20)
        person = rng.choice(adults)
        if planner.is_free(person, arrived, timing.now):
            planner.add(Coming(person, "hospital", rows[GRAVE[number % 2]], True, "ambulance", arrived, decided,
                               "admitted", icu=True))  # fmt: skip
            lying += 1
    waiting = 0
    for _ in range(ATTEMPTS):
        if waiting >= AT_THE_DOOR:
            break
        person = rng.randrange(len(register.people))
        arrived = timing.now - timedelta(minutes=rng.randint(4, 95))
        illness = planner.illness(person, timing.today)
        if illness is None or illness.organisation != "hospital" or illness.profile.startswith("day_"):
            continue
        if planner.is_free(person, arrived, timing.now):
            channel = weighted(rng, (("ambulance", 60.0), ("self", 40.0)))
            planner.add(Coming(person, "hospital", illness, True, channel, arrived, None, "waiting"))
            waiting += 1


def _lately(rng: Random, planner: HospitalPlanner, timing: Timing, groups: dict[str, list[int]]) -> None:
    rows = {(illness.icd10, illness.organisation): illness for _, illness in planner.table}
    for code, hours, group in LEFT_LATELY:
        discharged = timing.now - timedelta(hours=hours)
        arrived = discharged - timedelta(days=8)
        for _ in range(ATTEMPTS):
            person = rng.choice(groups[group] or groups["any"])
            if planner.is_free(person, arrived, timing.now):
                planner.add(Coming(person, "hospital", rows[code, "hospital"], True, "ambulance", arrived,
                                   arrived + timedelta(minutes=25), "admitted", discharged, "discharged",
                                   icu=code == "I21.9"))  # fmt: skip
                break
