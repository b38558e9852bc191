"""What people come with: diseases by age, sex, season and doctor, preventive visits, services that follow.

The tables lie in ``data/`` and are own estimates, from general knowledge, verify; no rate here is a statistic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Final, Generic, TypeVar

from operational.demo.people import rows

SEASONS: Final = ("winter", "winter", "spring", "spring", "spring", "summer", "summer", "summer", "autumn", "autumn",
                  "autumn", "winter")  # fmt: skip
SITE: Final = frozenset({"therapy", "paediatrics", "general_practice"})
INJURIES: Final = (
    ("household", 40), ("street", 25), ("sport", 7), ("road_traffic", 6), ("agricultural", 7), ("industrial", 5),
    ("animal", 5), ("other", 5),
)  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Disease:
    """An acute disease or another reason to come, with the group that texts and services hang on."""

    icd10: str
    group: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preventive:
    """A preventive visit and the service that it is."""

    icd10: str
    reason: str
    service: str


@dataclass(frozen=True, slots=True)
class Texts:
    """What the doctor writes, by language."""

    complaints: dict[str, str]
    objective: dict[str, str]
    plan: dict[str, str]


class Weighted(Generic[T]):
    """Values drawn by weight."""

    def __init__(self, pairs: Sequence[tuple[T, float]]) -> None:
        self.values = [value for value, weight in pairs if weight > 0]
        self.cumulative = list(accumulate(weight for _, weight in pairs if weight > 0))

    def draw(self, rng: Random) -> T | None:
        """One value; None when there is none."""
        if not self.values:
            return None
        return rng.choices(self.values, cum_weights=self.cumulative)[0]


class Morbidity:
    """The tables of ``data/`` with their draws."""

    def __init__(self) -> None:
        self._diseases = list(rows("morbidity.csv"))
        self._preventive = list(rows("preventive.csv"))
        self.chronic = {row["icd10"]: row for row in rows("chronic.csv")}
        self._disease_cache: dict[tuple[str, int, str, str], Weighted[Disease]] = {}
        self._preventive_cache: dict[tuple[str, int, str], Weighted[Preventive]] = {}
        self.injuries = Weighted(INJURIES)

    def disease(self, rng: Random, specialty: str, age: int, sex: str, month: int) -> Disease | None:
        """A disease that brings someone of this age and sex to this doctor in this month."""
        season = SEASONS[month - 1]
        key = (place_of(specialty), min(age, 100), sex, season)
        drawn = self._disease_cache.get(key)
        if drawn is None:
            drawn = self._disease_cache[key] = Weighted(
                [
                    (Disease(r["icd10"], r["group"], r["reason"]), float(r[season]))
                    for r in self._diseases
                    if key[0] in r["where"].split() and _suits(r, age, sex)
                ]
            )
        return drawn.draw(rng)

    def preventive(self, rng: Random, specialty: str, age: int, sex: str) -> Preventive | None:
        """A preventive visit of someone of this age and sex to this doctor."""
        key = (place_of(specialty), min(age, 100), sex)
        drawn = self._preventive_cache.get(key)
        if drawn is None:
            drawn = self._preventive_cache[key] = Weighted(
                [
                    (Preventive(r["icd10"], r["reason"], r["service"]), float(r["weight"]))
                    for r in self._preventive
                    if r["where"] == key[0] and _suits(r, age, sex)
                ]
            )
        return drawn.draw(rng)

    @cached_property
    def services(self) -> dict[str, list[tuple[str, float]]]:
        """Services that may follow, by group, each with its probability."""
        found: dict[str, list[tuple[str, float]]] = {}
        for row in rows("services.csv"):
            found.setdefault(row["group"], []).append((row["service"], float(row["probability"])))
        return found

    @cached_property
    def texts(self) -> dict[str, Texts]:
        """The doctor's words by group."""
        return {
            row["group"]: Texts(
                *({"kk": row[f"{part}_kk"], "ru": row[f"{part}_ru"]} for part in ("complaints", "objective", "plan"))
            )
            for row in rows("texts.csv")
        }


def place_of(specialty: str) -> str:
    """Doctors of sites share one row of the tables."""
    return "site" if specialty in SITE else specialty


def _suits(row: dict[str, str], age: int, sex: str) -> bool:
    return int(row["age_from"]) <= age <= int(row["age_to"]) and row["sex"] in ("A", sex)
