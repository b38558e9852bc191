"""Families: couples of like age, their children, one address, names that agree."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from random import Random
from typing import Final

from operational.demo.names import Family, Names
from operational.demo.people import Okrug, Person, rows, years_before

MARRIED: Final = 0.78
MOTHER_AGES: Final = (19, 41)
MOST_CHILDREN: Final = 5
BETWEEN_BIRTHS: Final = timedelta(days=330)


class FamilyMaker:
    """Puts people into families of one address."""

    def __init__(self, rng: Random, people: list[Person], places: list[Okrug], today: date) -> None:
        self.rng = rng
        self.people = people
        self.places = places
        self.shares = [place.share for place in places]
        self.names = Names(rng)
        self.streets = [row["name_kk"] for row in rows("streets.csv")]
        self.grown_up = years_before(today, 18)
        self.households = 0
        self.husbands: dict[int, int] = {}
        self.families: dict[int, Family] = {}
        self.births: dict[int, list[date]] = {}

    def run(self) -> None:
        """Couples and single people first, then the children."""
        order = sorted(range(len(self.people)), key=lambda i: (self.people[i].birth, i))
        adults = [i for i in order if self.people[i].birth <= self.grown_up]
        women = [i for i in adults if self.people[i].sex == "F"]
        men = [i for i in adults if self.people[i].sex == "M"]
        for woman in women:
            husband = men.pop(0) if men and self.rng.random() < MARRIED else None
            self._couple(woman, husband)
        for man in men:
            self._settle(self.names.family(), man)
        mothers = [i for i in women if i in self.husbands] or women
        starts = [self.people[i].birth for i in mothers]
        for child in (i for i in order if self.people[i].birth > self.grown_up):
            self._child(child, mothers, starts)

    def _couple(self, woman: int, husband: int | None) -> None:
        family = self.names.family()
        self.families[woman] = family
        if husband is None:
            self._settle(family, woman)
            return
        self.husbands[woman] = husband
        self._settle(family, woman, husband)
        if family.kazakh and self.rng.random() < 0.3:
            self.people[woman].earlier = self.rng.choice(self.names.surnames[True])[1]

    def _settle(self, family: Family, *members: int) -> None:
        place = self.rng.choices(self.places, self.shares)[0]
        address = f"{place.settlement}, {self.rng.choice(self.streets)} көшесі, {self.rng.randint(1, 90)}-үй"
        for member in members:
            person = self.people[member]
            person.household, person.okrug, person.address = self.households, place, address
            father = self.names.first_name("M", family.kazakh)
            self._name(person, family, father)
            if self.rng.random() < 0.85:
                person.phone = f"+77000{member % 1_000_000:06d}"
        self.households += 1

    def _name(self, person: Person, family: Family, father: str) -> None:
        person.kazakh = family.kazakh
        person.surname = family.surname_m if person.sex == "M" else family.surname_f
        person.given = self.names.first_name(person.sex, family.kazakh)
        if self.rng.random() < (0.03 if family.kazakh else 0.005):
            return
        person.patronymic = self.names.patronymic(father, person.sex, person.birth.year, family.kazakh)

    def _child(self, child: int, mothers: list[int], starts: list[date]) -> None:
        person = self.people[child]
        low = bisect_left(starts, years_before(person.birth, MOTHER_AGES[1]))
        high = bisect_right(starts, years_before(person.birth, MOTHER_AGES[0]))
        mother = self._mother(person.birth, mothers, low, max(high, low + 1))
        parent = self.people[mother]
        person.mother, person.household, person.address, person.okrug = (
            mother, parent.household, parent.address, parent.okrug,
        )  # fmt: skip
        self.births.setdefault(mother, []).append(person.birth)
        family = self.families[mother]
        husband = self.husbands.get(mother)
        father = self.people[husband].given if husband is not None else self.names.first_name("M", family.kazakh)
        self._name(person, family, father)
        person.phone = parent.phone

    def _mother(self, birth: date, mothers: list[int], low: int, high: int) -> int:
        chosen = mothers[min(low, len(mothers) - 1)]
        for _ in range(40):
            chosen = mothers[min(self.rng.randrange(low, high), len(mothers) - 1)]
            born = self.births.get(chosen, [])
            if len(born) < MOST_CHILDREN and all(abs(birth - other) >= BETWEEN_BIRTHS for other in born):
                break
        return chosen
