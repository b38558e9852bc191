"""Deaths: where and of what people die who do die; one that was registered by mistake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from operational.demo.attaching import Register
from operational.demo.hospital import Coming, HospitalPlanner, Illness
from operational.demo.people import age_on, rows
from operational.demo.region import Region
from operational.demo.schema import Store
from operational.demo.timing import Timing, weighted

PLACES: Final = (("home", 84.0), ("ambulance", 4.0), ("street", 5.0), ("workplace", 2.0), ("other", 5.0))
AUTOPSY_IN_HOSPITAL: Final = 0.45
# A part of the deaths in hospital happens before anybody could be admitted.
AT_THE_DOOR: Final = 0.08
NEWBORN_DAYS: Final = 7
ILL_DEFINED: Final = "R99"


@dataclass(frozen=True, slots=True)
class Dying:
    """A death as it will be registered."""

    person: int
    at: datetime
    place: str
    hospital: str | None
    underlying: str
    immediate: str


class DeathPlanner:
    """Plans the deaths of everyone whom the register lets die, with the stays that they end."""

    def __init__(self, rng: Random, register: Register, timing: Timing, planner: HospitalPlanner) -> None:
        self.rng = rng
        self.register = register
        self.timing = timing
        self.planner = planner
        self.causes = list(rows("causes.csv"))
        self.deaths: list[Dying] = []

    def run(self) -> None:
        """Before anything else is planned: whatever comes later keeps clear of it."""
        for person, who in enumerate(self.register.people):
            if who.death is not None:
                at = self.timing.at(who.death, 0.5 + 23 * self.rng.random())
                self.deaths.append(self._death(person, at))

    def _death(self, person: int, at: datetime) -> Dying:
        who = self.register.people[person]
        age = age_on(who.birth, self.timing.day(at))
        suited = [(row, float(row["weight"])) for row in self.causes
                  if int(row["age_from"]) <= age <= int(row["age_to"]) and row["sex"] in ("A", who.sex)]  # fmt: skip
        if not suited:
            return Dying(person, at, weighted(self.rng, PLACES), None, ILL_DEFINED, ILL_DEFINED)
        cause = weighted(self.rng, suited)
        codes = cause["underlying"], cause["immediate"]
        if self.rng.random() < float(cause["hospital"]) and self._in_hospital(person, at, cause):
            return Dying(person, at, "hospital", cause["organisation"], *codes)
        place = "street" if codes[0][0] == "V" else weighted(self.rng, PLACES)
        return Dying(person, at, place, None, *codes)

    def _in_hospital(self, person: int, at: datetime, cause: dict[str, str]) -> bool:
        """The stay that ends with the death; False when there is no time for one."""
        who = self.register.people[person]
        born = self.timing.at(who.birth, 12)
        arrived = at - timedelta(hours=max(3.0, 24 * self.rng.gammavariate(2, 2.4)))
        first = max(self.timing.at(self.timing.start, 0), born)
        arrived = max(arrived, first).replace(second=0, microsecond=0)
        decided = arrived + timedelta(minutes=self.rng.randint(5, 30))
        if decided + timedelta(hours=1) > at:
            return False
        newborn = (arrived - born) < timedelta(days=NEWBORN_DAYS)
        channel = "born_here" if newborn else weighted(self.rng, (("ambulance", 75.0), ("self", 25.0)))
        illness = Illness(cause["underlying"], cause["organisation"], cause["profile"])
        if not newborn and self.rng.random() < AT_THE_DOOR:
            arrived = max(arrived, at - timedelta(minutes=self.rng.randint(6, 80)))
            self.planner.add(
                Coming(person, cause["organisation"], illness, True, "ambulance", arrived, at, "died", icu=True)
            )
            return True
        coming = Coming(
            person, cause["organisation"], illness, True, channel, arrived, decided, "admitted", at, "died",
            icu=self.rng.random() < 0.7, facts={"complication": cause["immediate"]},
        )  # fmt: skip
        self.planner.add(coming)
        return True


class DeathWriter:
    """Writes the deaths."""

    def __init__(self, rng: Random, store: Store, register: Register, region: Region, timing: Timing) -> None:
        self.rng = rng
        self.store = store
        self.register = register
        self.region = region
        self.timing = timing

    def run(self, deaths: list[Dying]) -> dict[int, int]:
        """In the order of time; the key of the death of each person."""
        keys: dict[int, int] = {}
        registrars = {
            "hospital": self.region.teams["hospital", "02"][0].user,
            "regional": self.region.teams["regional", "04"][0].user,
        }
        for number, death in enumerate(sorted(deaths, key=lambda d: (d.at, d.person)), 1):
            hospital = self.region.organisations[death.hospital] if death.hospital else None
            owner = hospital or self._attached(death.person, death.at)
            autopsy = self.rng.random() < AUTOPSY_IN_HOSPITAL if hospital else death.underlying[0] in "VWXT"
            registered = self.timing.past(death.at + timedelta(minutes=self.rng.randint(40, 2600)))
            keys[death.person] = self.store.death.add(
                owner, death.person + 1, death.at, self.rng.random() < 0.93, death.place, hospital, death.underlying,
                death.immediate if death.immediate != death.underlying else None,
                f"{self.timing.day(death.at):%y}-{number:06d}", autopsy, "no", registered,
                registrars[death.hospital] if death.hospital else self.region.users["chief"], None, None,
            )  # fmt: skip
        self._mistake()
        return keys

    def _attached(self, person: int, at: datetime) -> int:
        stays = self.register.stays[person]
        return stays[-1].organisation if stays else self.region.organisations["polyclinic"]

    def _mistake(self) -> None:
        """Somebody who lives was registered as dead, and the record was taken back the next day."""
        person = next(
            (number for number, who in enumerate(self.register.people)
             if who.death is None and self.register.stays[number]
             and age_on(who.birth, self.timing.today) > 60), None,
        )  # fmt: skip
        if person is None:
            return
        at = self.timing.at(self.timing.today - timedelta(days=40), 6)
        self.store.death.add(
            self._attached(person, at), person + 1, at, True, "home", None, "I25.1", None, None, False, "no",
            at + timedelta(hours=5), self.region.users["chief"], at + timedelta(hours=29), "wrong_patient",
        )  # fmt: skip
