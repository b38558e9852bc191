"""Where people are attached, with the moves of two years, deaths, and the double records that were merged.

Deaths follow ``reference/mortality_kz_age_sex.csv`` (UN WPP 2024).
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from kmis.names import name_key, sort_key
from operational.demo.names import REFERENCE
from operational.demo.people import Person, age_on, rows
from operational.demo.region import Region
from operational.demo.schema import Store

MOVED: Final = 0.035
CAME: Final = 0.015
FIRST_YEAR: Final = 2012
# Of the deaths in the first year, the part up to here and its days of life; from general knowledge, verify.
INFANT_DEATHS: Final = ((0.42, (1, 6)), (0.58, (7, 27)), (1.0, (28, 364)))
AGE_BANDS: Final = (0, 15, 30, 45, 60, 75)


@dataclass(frozen=True, slots=True)
class Stay:
    """An attachment: a site during a time."""

    organisation: int
    site: int
    since: date
    until: date | None
    reason: str


@dataclass(slots=True)
class Register:
    """The people with what belongs to them; a person's patient id is the place in ``people`` plus one."""

    people: list[Person]
    stays: list[list[Stay]]
    insurance: list[str]
    aliases: dict[int, tuple[int, date]] = field(default_factory=dict)
    # The days, first and last, that people spend in a hospital round the clock.
    absences: dict[int, list[tuple[date, date]]] = field(default_factory=dict)

    def site_on(self, person: int, day: date) -> int | None:
        """The site of a person on a day."""
        for stay in self.stays[person]:
            if stay.since <= day and (stay.until is None or day < stay.until):
                return stay.site
        return None

    def alive_on(self, person: int, day: date) -> bool:
        """Whether the person is born and lives on a day."""
        who = self.people[person]
        return who.birth <= day and (who.death is None or day < who.death)

    def free_on(self, person: int, day: date) -> bool:
        """Whether the person lives on a day and is in no hospital."""
        return self.alive_on(person, day) and not any(a <= day <= b for a, b in self.absences.get(person, ()))


class Attacher:
    """Gives everyone attachments and writes the register."""

    def __init__(
        self, rng: Random, store: Store, region: Region, people: list[Person], start: date, today: date
    ) -> None:
        self.rng = rng
        self.store = store
        self.region = region
        self.people = people
        self.start = start
        self.today = today
        self.by_kind: dict[tuple[str, str], list[int]] = {}
        for plan in region.sites:
            self.by_kind.setdefault((plan.organisation, plan.kind), []).append(plan.key)

    def run(self) -> Register:
        """Deaths, chronic diseases, attachments, then the rows."""
        self._deaths()
        self._chronic()
        register = Register(
            self.people, [self._stays(p) for p in self.people], [self._insurance(p) for p in self.people]
        )
        self._write(register)
        self._doubles(register)
        return register

    def _deaths(self) -> None:
        with (REFERENCE / "mortality_kz_age_sex.csv").open(encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file))
        newest = max(row["period"] for row in table)
        rates = [
            (int(r["age_from"].rstrip("+")), float(r["mx_male"]), float(r["mx_female"]))
            for r in table
            if r["period"] == newest
        ]
        rates.sort()
        starts = [rate[0] for rate in rates]
        days = (self.today - self.start).days
        mothers = {p.mother for p in self.people if p.mother is not None}
        for place, person in enumerate(self.people):
            if person.birth >= self.start:
                person.death = self._early_death(person, rates[0][1 if person.sex == "M" else 2])
                continue
            rate = rates[max(bisect_right(starts, age_on(person.birth, self.today)) - 1, 0)]
            chance = rate[1 if person.sex == "M" else 2] * days / 365.25
            if self.rng.random() < chance and place not in mothers and person.kind == "citizen":
                first = max(self.start, person.birth)
                person.death = first + timedelta(days=self.rng.randint(1, max(1, (self.today - first).days - 1)))

    def _early_death(self, person: Person, rate: float) -> date | None:
        """The day on which a child born within the time shown dies before it is one year old; mostly it lives."""
        chance = self.rng.random()
        if chance >= rate:
            return None
        first, last = next(days for share, days in INFANT_DEATHS if chance < rate * share)
        death = person.birth + timedelta(days=self.rng.randint(first, last))
        return death if death < self.today else None

    def _chronic(self) -> None:
        """Chronic diseases by the prevalence of ``data/chronic.csv`` with the day when each was found."""
        table = list(rows("chronic.csv"))
        chances = [[float(row[f"p{band}"]) for band in AGE_BANDS] for row in table]
        for person in self.people:
            band = bisect_right(AGE_BANDS, age_on(person.birth, self.today)) - 1
            for row, chance in zip(table, chances, strict=True):
                if row["sex"] not in ("A", person.sex) or self.rng.random() >= chance[band]:
                    continue
                days = min((self.today - person.birth).days, self.rng.randint(1, 5500))
                person.chronic.append((row["icd10"], self.today - timedelta(days=days)))

    def _insurance(self, person: Person) -> str:
        age = age_on(person.birth, self.today)
        if person.kind != "citizen" and person.kind != "newborn":
            return "not_subject"
        if age < 18 or age >= (63 if person.sex == "M" else 61):
            return "exempt"
        return self.rng.choices(("insured", "exempt", "uninsured", "unknown"), (72, 13, 12, 3))[0]

    def _site(self, organisation: str, kind: str, household: int) -> int:
        sites = self.by_kind.get((organisation, kind)) or self.by_kind[organisation, "general_practice"]
        return sites[household % len(sites)]

    def _stays(self, person: Person) -> list[Stay]:
        organisation = person.okrug.organisation
        owner = self.region.organisations[organisation]
        grown_up = date(person.birth.year + 18, person.birth.month, min(person.birth.day, 28))
        split = organisation == "polyclinic"
        adult = self._site(organisation, "therapeutic" if split else "general_practice", person.household)
        child = self._site(organisation, "paediatric", person.household) if split else adult
        born_here = person.birth >= self.start
        since = person.birth if born_here else date(self.rng.randint(FIRST_YEAR, self.start.year - 1), 9, 1)
        since = max(since, person.birth)
        reason = "birth" if since == person.birth else "residence"
        chance = self.rng.random()
        middle = self.start + timedelta(days=self.rng.randint(20, max(21, (self.today - self.start).days - 20)))
        stays: list[Stay] = []
        if not born_here and chance < CAME:
            since = middle
        elif not born_here and chance < CAME + MOVED and middle > since:
            stays.append(self._earlier(organisation, grown_up <= middle, person.household, since, middle))
            since, reason = middle, self.rng.choice(("moved", "free_choice"))
        if split and since < grown_up <= self.today:
            stays.append(Stay(owner, child, since, grown_up, reason))
            stays.append(Stay(owner, adult, grown_up, None, "age"))
        else:
            stays.append(Stay(owner, adult if grown_up <= since else child, since, None, reason))
        return self._until_death(stays, person.death)

    def _earlier(self, organisation: str, adult: bool, household: int, since: date, until: date) -> Stay:
        others = [key for key, _ in self.by_kind if key != organisation]
        other = self.rng.choice(others) if others else organisation
        kind = "general_practice" if other != "polyclinic" else "therapeutic" if adult else "paediatric"
        return Stay(self.region.organisations[other], self._site(other, kind, household), since, until, "residence")

    @staticmethod
    def _until_death(stays: list[Stay], death: date | None) -> list[Stay]:
        if death is None:
            return stays
        end = death + timedelta(days=1)
        kept = [stay for stay in stays if stay.since < end]
        return [
            Stay(s.organisation, s.site, s.since, end if s.until is None or s.until > end else s.until, s.reason)
            for s in kept
        ]

    def _write(self, register: Register) -> None:
        for place, person in enumerate(self.people):
            owner = register.stays[place][0].organisation if register.stays[place] else 1
            first = register.stays[place][0].since if register.stays[place] else self.start
            self._patient(person, place + 1, owner, datetime.combine(max(first, person.birth), time(6)), None)
        for place, stays in enumerate(register.stays):
            for stay in stays:
                self.store.attachment.add(
                    stay.organisation, place + 1, stay.organisation, stay.site, stay.reason, stay.since, stay.until
                )

    def _patient(self, person: Person, number: int, owner: int, created: datetime, merged_into: int | None) -> int:
        earlier = [person.earlier] if person.earlier else []
        document = person.document or (None, None)
        return self.store.patient.add(
            owner, number, person.iin, person.surname, person.given, person.patronymic,
            "{" + ",".join(earlier) + "}", name_key(person.surname, person.given, person.patronymic, earlier),
            sort_key(person.surname, person.given, person.patronymic), person.birth, person.sex, person.kind,
            None if person.mother is None else person.mother + 1, person.birth_order, *document,
            person.citizenship, person.phone, person.address, person.okrug.kato, person.okrug.town, person.mismatch,
            person.death, merged_into, created,
        )  # fmt: skip

    def _doubles(self, register: Register) -> None:
        """A few people have a second record, made without papers and merged later."""
        settled = [
            place for place, person in enumerate(self.people)
            if person.kind == "citizen" and person.death is None and register.stays[place]
            and register.stays[place][0].since < self.start and age_on(person.birth, self.today) >= 18
        ]  # fmt: skip
        span = (self.today - self.start).days
        for place in sorted(self.rng.sample(settled, min(len(settled), max(3, len(self.people) // 1300)))):
            person = self.people[place]
            owner = register.stays[place][0].organisation
            made = self.start + timedelta(days=self.rng.randint(5, span // 2))
            merged = made + timedelta(days=self.rng.randint(20, max(21, span // 3)))
            double = Person(
                person.sex, person.birth, person.okrug, person.surname, person.given, None, kazakh=person.kazakh,
                address=person.address, kind="without_papers",
            )  # fmt: skip
            key = self._patient(double, len(self.store.patient) + 1, owner, datetime.combine(made, time(5)), place + 1)
            self.store.patient_merge.add(
                owner, key, place + 1, "Бір адамның екі жазбасы / Две записи одного человека",
                datetime.combine(merged, time(9)), self.region.users["chief"],
            )  # fmt: skip
            register.aliases[place] = (key, merged)
