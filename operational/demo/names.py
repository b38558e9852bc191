"""Names by ethnicity and sex, with the patronymic that a father's name gives.

Names come from ``reference/person_names.csv`` (its sources stand in each row).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Literal

Sex = Literal["M", "F"]
REFERENCE: Final = Path(__file__).resolve().parents[2] / "reference"
VOWELS: Final = "аәеёиоөуұүыіэюя"
# Share of Russian names in the district, from general knowledge, verify.
RUSSIAN: Final = 0.05
# People born later mostly have the Kazakh form of the patronymic.
KAZAKH_FORM_SINCE: Final = 1992


@dataclass(frozen=True, slots=True)
class Family:
    """What a family has in common."""

    kazakh: bool
    surname_m: str
    surname_f: str


class Names:
    """Draws names; every draw comes from the given generator."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        with (REFERENCE / "person_names.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.given: dict[tuple[Sex, bool], list[str]] = {("M", True): [], ("F", True): [], ("M", False): [],
                                                         ("F", False): []}  # fmt: skip
        self.surnames: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
        for row in rows:
            self._take(row)
        for name in self.given["M", True]:
            self.surnames[True].append(_surname_from(name))

    def _take(self, row: dict[str, str]) -> None:
        kazakh = row["language"] == "kk"
        name = row["name_kk"] or row["name_ru"]
        if row["kind"] == "given":
            self.given["M" if row["sex"] == "M" else "F", kazakh].append(name)
        elif row["kind"] == "surname_ov":
            self.surnames[True] += [(name, f"{name}а")] * 6
        elif row["kind"] == "surname_bare":
            self.surnames[True] += [(name, name)] * 3
        elif row["kind"] == "surname" and "/" in name:
            masculine, feminine = name.split("/")
            self.surnames[False].append((masculine, feminine))

    def family(self) -> Family:
        """A surname with its ethnicity."""
        kazakh = self.rng.random() >= RUSSIAN
        masculine, feminine = self.rng.choice(self.surnames[kazakh])
        return Family(kazakh, masculine, feminine)

    def first_name(self, sex: Sex, kazakh: bool) -> str:
        """A given name."""
        return self.rng.choice(self.given[sex, kazakh])

    def patronymic(self, father: str, sex: Sex, birth_year: int, kazakh: bool) -> str:
        """The patronymic of a child of ``father``."""
        modern = kazakh and (birth_year >= KAZAKH_FORM_SINCE or self.rng.random() < 0.15)
        if modern or (kazakh and father[-1] in VOWELS):
            return father + ("ұлы" if sex == "M" else "қызы")
        if father[-1] in "йь":
            return father[:-1] + ("евич" if sex == "M" else "евна")
        if father[-1] in "ая":
            return father[:-1] + ("ич" if sex == "M" else "ична")
        if father[-1] in VOWELS:
            return father + ("вич" if sex == "M" else "вна")
        return father + ("ович" if sex == "M" else "овна")


def _surname_from(name: str) -> tuple[str, str]:
    if name[-1] in "ыі":
        stem = name[:-1] + "иев"
    elif name[-1] in "еи":
        stem = name + "ев"
    elif name[-1] in "ая":
        stem = name[:-1] + "ин"
    elif name[-1] in VOWELS + "йь":
        stem = name[:-1] + ("ев" if name[-1] in "йь" else "ов")
    else:
        stem = name + "ов"
    return stem, stem + "а"
