"""The people of the district: age and sex as in the population of Kazakhstan, families, addresses, numbers.

Age structure: ``reference/population_kz_age_sex.csv`` (UN WPP 2019, 2025). Nobody here is a real person: serial
numbers of the IIN begin at 9000 and telephone numbers lie in a block that is not given out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final, Literal

from kmis.iin import generate_first
from operational.demo.names import REFERENCE, Sex

DATA: Final = Path(__file__).resolve().parent / "data"
STRUCTURE_YEAR: Final = "2025"
MISMATCH: Final = 0.003
MISMATCH_REASON: Final = "ЖСН-дегі күн туу туралы куәлікпен сәйкес емес / Дата в ИИН не совпадает со свидетельством"
Kind = Literal["citizen", "foreigner", "without_papers", "unknown", "newborn"]


@dataclass(frozen=True, slots=True)
class Okrug:
    """A rural okrug: where people live and which organisation serves them."""

    kato: str
    village_kk: str
    village_ru: str
    share: float
    organisation: str
    town: bool = False

    @property
    def settlement(self) -> str:
        """The settlement as an address begins with it."""
        return f"{self.village_kk} қаласы" if self.town else f"{self.village_kk} ауылы"


@dataclass(slots=True)
class Person:
    """One person; ``household`` groups those who live together."""

    sex: Sex
    birth: date
    okrug: Okrug
    surname: str = ""
    given: str = ""
    patronymic: str | None = None
    earlier: str | None = None
    kazakh: bool = True
    mother: int | None = None
    birth_order: int | None = None
    household: int = -1
    address: str = ""
    phone: str | None = None
    iin: str | None = None
    mismatch: str | None = None
    kind: Kind = "citizen"
    citizenship: str = "KAZ"
    document: tuple[str, str] | None = None
    death: date | None = None
    chronic: list[tuple[str, date]] = field(default_factory=list)


def okrugs(kato_codes: dict[str, str]) -> list[Okrug]:
    """The okrugs of the district; ``kato_codes`` gives the code of each by its Russian name."""
    with (DATA / "okrugs.csv").open(encoding="utf-8", newline="") as file:
        return [
            Okrug(kato_codes[r["name_ru"]], r["village_kk"], r["village_ru"], float(r["share"]), r["organisation"])
            for r in csv.DictReader(file)
        ]


def pyramid() -> list[tuple[Sex, int, int, float]]:
    """Sex, first age, last age and share of everyone, for each five-year group."""
    groups: list[tuple[Sex, int, int, float]] = []
    with (REFERENCE / "population_kz_age_sex.csv").open(encoding="utf-8", newline="") as file:
        for r in csv.DictReader(file):
            if r["year"] != STRUCTURE_YEAR:
                continue
            first = int(r["age_group"].rstrip("+").split("-")[0])
            last = 101 if r["age_group"].endswith("+") else first + 4
            groups.append(("M" if r["sex"] == "M" else "F", first, last, float(r["population"])))
    total = sum(group[3] for group in groups)
    return [(sex, first, last, people / total) for sex, first, last, people in groups]


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of a data file of the demonstration."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def years_before(day: date, years: int) -> date:
    """The same day so many years ago; of a leap day the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def age_on(birth: date, day: date) -> int:
    """Full years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def draw(rng: Random, population: int, today: date, place: Okrug) -> list[Person]:
    """So many people with the ages and sexes of the pyramid; names and families come later."""
    people: list[Person] = []
    carried = 0.0
    for sex, first, last, share in pyramid():
        exact = population * share + carried
        count = round(exact)
        carried = exact - count
        oldest = years_before(today, last + 1) + timedelta(days=1)
        days = (years_before(today, first) - oldest).days
        people += [Person(sex, oldest + timedelta(days=rng.randint(0, days)), place) for _ in range(count)]
    return people


def number(rng: Random, people: list[Person], block: range) -> None:
    """An IIN for everyone, its serial number out of ``block``; a few carry that of another birth date or sex."""
    taken: set[str] = set()
    for person in people:
        birth, sex = person.birth, person.sex
        if rng.random() < MISMATCH:
            person.mismatch = MISMATCH_REASON
            if rng.random() < 0.8:
                birth = birth - timedelta(days=rng.choice((1, 10, 30, 365)))
            else:
                sex = "F" if sex == "M" else "M"
        start = rng.randint(block.start, max(block.start, block.stop - 100))
        serials = (serial for serial in (*range(start, block.stop), *range(block.start, start)))
        while (iin := generate_first(birth, sex, serials)) in taken:
            continue
        taken.add(iin)
        person.iin = iin


def exceptions(rng: Random, people: list[Person], today: date) -> None:
    """The people without an IIN: foreigners, without papers, unknown, and newborns under their mother's number."""
    adults = [p for p in people if 20 <= age_on(p.birth, today) <= 60]
    chosen = rng.sample(adults, max(4, len(adults) // 900))
    for place, person in enumerate(chosen):
        person.iin = person.mismatch = None
        if place % 4 == 3:
            person.kind, person.document = "without_papers", None
        else:
            person.kind = "foreigner"
            person.citizenship = rng.choice(("UZB", "RUS", "KGZ"))
            person.document = ("foreign_passport", f"X{rng.randint(1_000_000, 9_999_999)}")
    for person in people:
        newborn = person.mother is not None and 0 <= (today - person.birth).days <= 20
        if newborn and person.mother is not None and people[person.mother].iin:
            person.kind, person.iin, person.mismatch, person.birth_order = "newborn", None, None, 1
