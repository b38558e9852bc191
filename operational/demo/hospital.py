"""Who comes to a hospital, why, and what becomes of it: decided here, written by ``wards``.

Frequencies, lengths of stay and outcomes stand in ``data/hospital.csv``; they are own estimates, from general
knowledge, verify. Deaths follow ``reference/mortality_kz_age_sex.csv``, their causes ``data/causes.csv``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Final

from operational.demo.attaching import Register
from operational.demo.morbidity import SEASONS
from operational.demo.people import age_on, rows
from operational.demo.timing import Timing, poisson, weighted

# Presentations of a person in a year, births and deaths apart.
PRESENTATIONS: Final = 0.118
# How often people come, by the age from which it holds; only the proportions count.
AGES: Final = (0, 1, 5, 15, 45, 65)
WEIGHTS: Final = (4.2, 1.9, 0.75, 0.7, 1.3, 2.9)
VOLUME: Final = (1.12, 1.12, 1.05, 1.0, 0.97, 0.9, 0.86, 0.86, 0.97, 1.03, 1.06, 1.1)
REFUSED: Final = 0.2
LEFT: Final = 0.012
# Who has to go on to the regional hospital goes there from the door, a part of them.
FROM_THE_DOOR: Final = 0.25
REFUSALS: Final = (("treated_outpatient", 46.0), ("no_indication", 24.0), ("patient_refused", 17.0),
                   ("referred_elsewhere", 7.0), ("no_beds", 2.0), ("not_examined", 4.0))  # fmt: skip
HOURS: Final = (1, 1, 1, 1, 1, 1, 2, 3, 6, 9, 10, 9, 8, 7, 7, 6, 6, 6, 6, 6, 5, 4, 3, 2)
CHANNELS: Final = (("ambulance", 52.0), ("self", 33.0), ("polyclinic_referral", 15.0))
# A stay keeps so far from another one of the same person.
APART: Final = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Illness:
    """A row of ``data/hospital.csv``."""

    icd10: str
    organisation: str
    profile: str
    emergency: float = 1.0
    days: float = 7.0
    icu: float = 0.0
    transfer: float = 0.0
    transfer_to: str = ""
    operation: str = ""
    operated: float = 0.0
    transfused: float = 0.0


@dataclass(slots=True)
class Coming:
    """A presentation with what became of it; ``discharged`` is None while the stay goes on."""

    person: int
    organisation: str
    illness: Illness
    emergency: bool
    channel: str
    arrived: datetime
    decided: datetime | None
    decision: str
    discharged: datetime | None = None
    outcome: str | None = None
    refusal: str | None = None
    referring: str | None = None
    target: str | None = None
    icu: bool = False
    operated: bool = False
    transfused: bool = False
    tags: set[str] = field(default_factory=set)
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def begins(self) -> datetime:
        """When the stay begins. Raises ValueError for somebody who still waits."""
        if self.decided is None:
            raise ValueError("nobody has decided yet")
        return self.decided

    @property
    def admitted(self) -> bool:
        """Whether it led to a stay."""
        return self.decision == "admitted"


class HospitalPlanner:
    """Decides presentations; ``comings`` holds them in no order."""

    def __init__(self, rng: Random, register: Register, timing: Timing) -> None:
        self.rng = rng
        self.register = register
        self.timing = timing
        self.comings: list[Coming] = []
        self.taken: dict[int, list[tuple[datetime, datetime]]] = {}
        self.table = [
            (row, Illness(
                row["icd10"], row["organisation"], row["profile"], float(row["emergency"]), float(row["days"]),
                float(row["icu"]), float(row["transfer"]), row["transfer_to"], row["operation"],
                float(row["operated"]), float(row["transfused"]),
            ))
            for row in rows("hospital.csv")
        ]  # fmt: skip
        self._draws: dict[tuple[int, str, str], tuple[list[Illness], list[float]]] = {}
        middle = timing.start + (timing.today - timing.start) / 2
        self.weights = list(
            accumulate(WEIGHTS[bisect_right(AGES, max(age_on(p.birth, middle), 0)) - 1] for p in register.people)
        )

    # --- the time of a person --------------------------------------------------------------------------------

    def is_free(self, person: int, since: datetime, until: datetime) -> bool:
        """Whether the person lives, and is in no hospital, for that time and some hours around it."""
        if not (
            self.register.alive_on(person, self.timing.day(since)) and self.register.alive_on(person, self._last(until))
        ):
            return False
        return all(until + APART < a or since - APART > b for a, b in self.taken.get(person, ()))

    def _last(self, until: datetime) -> date:
        return min(self.timing.day(until), self.timing.today)

    def add(self, coming: Coming) -> None:
        """Put a presentation into the plan and the person's time."""
        self.comings.append(coming)
        end = datetime.max - APART if coming.admitted and coming.discharged is None else coming.discharged
        self.taken.setdefault(coming.person, []).append((coming.arrived, end or coming.decided or coming.arrived))

    def absences(self) -> dict[int, list[tuple[date, date]]]:
        """The days that people spend in a hospital round the clock, first and last."""
        found: dict[int, list[tuple[date, date]]] = {}
        for c in self.comings:
            if c.admitted and not c.illness.profile.startswith("day_"):
                last = self.timing.day(c.discharged) if c.discharged else date.max
                found.setdefault(c.person, []).append((self.timing.day(c.arrived), last))
        return found

    # --- everyday --------------------------------------------------------------------------------------------

    def run(self) -> Iterator[int]:
        """Two years of presentations, day by day; gives the number of days done."""
        span = (self.timing.today - self.timing.start).days + 1
        expected = PRESENTATIONS * len(self.register.people) / 365.25
        for number in range(span):
            day = self.timing.start + timedelta(days=number)
            for _ in range(poisson(self.rng, expected * VOLUME[day.month - 1])):
                self._comes(day)
            yield number + 1

    def _comes(self, day: date) -> None:
        hour = self.rng.choices(range(24), HOURS)[0] + self.rng.random()
        person = self.rng.choices(range(len(self.weights)), cum_weights=self.weights)[0]
        arrived = self.timing.at(day, hour)
        if arrived >= self.timing.now or not self.register.alive_on(person, day):
            return
        illness = self.illness(person, day)
        if illness is None:
            return
        emergency = self.rng.random() < illness.emergency
        if not emergency:
            arrived = self.timing.at(day, 9 + 3 * self.rng.random())
            if day.weekday() >= 5 or arrived >= self.timing.now:
                return
        self.present(person, illness, emergency, arrived)

    def illness(self, person: int, day: date) -> Illness | None:
        """What brings someone of this age and sex in this season."""
        who = self.register.people[person]
        season = SEASONS[day.month - 1]
        key = (min(age_on(who.birth, day), 100), who.sex, season)
        drawn = self._draws.get(key)
        if drawn is None:
            suited = [
                (illness, float(row[season]))
                for row, illness in self.table
                if int(row["age_from"]) <= key[0] <= int(row["age_to"]) and row["sex"] in ("A", who.sex)
            ]
            drawn = self._draws[key] = [i for i, _ in suited], list(accumulate(w for _, w in suited))
        if not drawn[0] or not drawn[1][-1]:
            return None
        return self.rng.choices(drawn[0], cum_weights=drawn[1])[0]

    def present(self, person: int, illness: Illness, emergency: bool, arrived: datetime) -> Coming | None:
        """A presentation for this illness, when the person's time allows it."""
        decided = arrived + timedelta(minutes=self.rng.randint(12, 110))
        if decided >= self.timing.now:
            return None
        channel = weighted(self.rng, CHANNELS) if emergency else "planned_portal"
        chance = self.rng.random()
        if chance < (REFUSED if emergency else REFUSED / 6):
            if not self.is_free(person, arrived, decided):
                return None
            refusal = weighted(self.rng, REFUSALS)
            coming = Coming(
                person, illness.organisation, illness, emergency, channel, arrived, decided, "refused", refusal=refusal
            )
            self.add(coming)
            return coming
        if (
            emergency
            and self.rng.random() < illness.transfer * FROM_THE_DOOR
            and self.is_free(person, arrived, decided)
        ):
            coming = Coming(
                person, illness.organisation, illness, True, channel, arrived, decided, "transferred", target="regional"
            )
            self.add(coming)
            self._arrives_in_oral(coming)
            return coming
        if emergency and chance > 1 - LEFT / 2 and self.is_free(person, arrived, decided):
            coming = Coming(person, illness.organisation, illness, True, channel, arrived, decided, "left")
            self.add(coming)
            return coming
        return self.admit(person, illness, emergency, channel, arrived, decided, left=chance > 1 - LEFT)

    def admit(
        self, person: int, illness: Illness, emergency: bool, channel: str, arrived: datetime, decided: datetime,
        left: bool = False, referring: str | None = None,
    ) -> Coming | None:  # fmt: skip
        """A stay, and the one in the regional hospital that may follow it."""
        moves = bool(illness.transfer_to) and not referring and self.rng.random() < illness.transfer
        days = self.rng.choice((0.3, 0.6, 1.0)) if moves else max(1.0, illness.days * self.rng.gammavariate(9, 1 / 9))
        if left:
            days = min(days, 1 + 2 * self.rng.random())
        discharged: datetime | None = decided + timedelta(days=days)
        if discharged and not moves and days >= 1:
            discharged = self.timing.at(self.timing.day(discharged), 9.5 + 5 * self.rng.random())
        if discharged is None or discharged <= decided:
            discharged = decided + timedelta(days=1)
        discharged = discharged.replace(second=0, microsecond=0)
        if not self.is_free(person, arrived, discharged):
            return None
        coming = Coming(
            person, illness.organisation, illness, emergency, channel, arrived, decided, "admitted",
            referring=referring, icu=self.rng.random() < illness.icu, operated=self.rng.random() < illness.operated,
            transfused=self.rng.random() < illness.transfused,
        )  # fmt: skip
        if discharged < self.timing.now:
            coming.discharged = discharged
            coming.outcome = "transferred" if moves else "left" if left else "discharged"
        if moves and coming.discharged:
            coming.target = "regional"
            coming.operated = False
        self.add(coming)
        if moves and coming.discharged:
            self._arrives_in_oral(coming)
        return coming

    def _arrives_in_oral(self, first: Coming) -> None:
        """Four hours by road, then the regional hospital. It follows at once, so the gap between stays is left out."""
        sent = first.discharged or first.begins
        arrived = sent + timedelta(minutes=self.rng.randint(200, 320))
        decided = arrived + timedelta(minutes=self.rng.randint(10, 50))
        known = self.taken[first.person].pop()
        treated = {"cardiology": ("OP05-02", 0.5), "surgical": ("OP06-04", 0.5), "trauma": ("OP10-01", 0.7)}
        operation, operated = treated.get(first.illness.transfer_to, ("", 0.0))
        illness = Illness(
            first.illness.icd10, "regional", first.illness.transfer_to, 1.0, first.illness.days, first.illness.icu,
            operation=operation, operated=operated, transfused=first.illness.transfused,
        )  # fmt: skip
        following = None
        if decided < self.timing.now:
            following = self.admit(
                first.person, illness, True, "hospital_transfer", arrived, decided, referring=first.organisation
            )
        self.taken.setdefault(first.person, []).append(known)
        if following is None and first.admitted:
            first.outcome, first.target = "discharged", None
        elif following is None:
            first.decision, first.refusal, first.target = "refused", "referred_elsewhere", None
