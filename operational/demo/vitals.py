"""Vital signs: at the door, and on the temperature sheet of recent, open and critical stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from operational.demo.hospital import Coming
from operational.demo.schema import Store
from operational.demo.timing import Timing

# Of older stays the sheets are left out: their figures need none.
SHEETS: Final = timedelta(days=21)
FEVER: Final = ("J", "A", "B", "U", "L")


@dataclass(frozen=True, slots=True)
class Signs:
    """One round of measurements."""

    temperature: float
    pulse: int
    systolic: int
    diastolic: int
    respiratory_rate: int
    spo2: int


class Vitals:
    """Draws vital signs by disease and severity."""

    def __init__(self, rng: Random, store: Store, timing: Timing) -> None:
        self.rng = rng
        self.store = store
        self.timing = timing

    def signs(self, coming: Coming, severe: bool, part: float = 0.0) -> Signs:
        """Signs when such a part of the stay is over: they become normal unless the person dies."""
        rng, code = self.rng, coming.illness.icd10
        fever = (1.9 if severe else 1.3) if code[0] in FEVER else 0.2
        recovered = 1 - part if coming.outcome != "died" else 1.0
        pressure = 128.0 + (34 * recovered if code[:2] in ("I1", "I6") else 0) - (26 * recovered if severe else 0)
        if code.startswith(("O13", "O14", "O15")):
            pressure = (172 if "critical" in coming.tags else 146) - 30 * (1 - recovered)
        systolic = round(rng.gauss(pressure, 7))
        return Signs(
            round(min(max(rng.gauss(36.6 + fever * recovered, 0.25), 35.2), 40.6), 1),
            min(max(round(rng.gauss(78 + (30 if severe else 12) * recovered, 7)), 42), 180),
            min(max(systolic, 70), 230), min(max(round(systolic * 0.62 + rng.gauss(0, 4)), 40), 130),
            min(max(round(rng.gauss(17 + (8 if severe else 2) * recovered, 1.5)), 10), 44),
            min(max(round(rng.gauss(97 - (9 if severe else 1.5) * recovered, 1.2)), 74), 100),
        )  # fmt: skip

    def sheet(self, stay: int, coming: Coming, organisation: int, nurse: int) -> None:
        """Morning and evening of each day of the stay."""
        end = coming.discharged or self.timing.now
        if (end < self.timing.now - SHEETS and "critical" not in coming.tags) or (
            coming.illness.profile.startswith("day_")
        ):
            return
        length = max((end - coming.begins) / timedelta(days=1), 1.0)
        day = self.timing.day(coming.begins)
        number = 0
        while day <= self.timing.day(end):
            for hour in (7.5, 17.5):
                at = self.timing.at(day, hour + self.rng.random())
                if coming.begins <= at <= end:
                    self._measure(stay, coming, organisation, nurse, at, number, length)
                    number += 1
            day += timedelta(days=1)
        if not number:
            self._measure(stay, coming, organisation, nurse, coming.begins, 0, length)

    def _measure(
        self, stay: int, coming: Coming, organisation: int, nurse: int, at: datetime, number: int, length: float
    ) -> None:
        part = min((at - coming.begins) / timedelta(days=1) / length, 1.0)
        signs = self.signs(coming, coming.icu and number < 5, 0.0 if number < 3 else part)
        chills = "chills" in coming.tags and number == 1
        self.store.vital_sign.add(
            organisation, stay, coming.person + 1, at, 39.2 if chills else signs.temperature, signs.pulse,
            signs.systolic, signs.diastolic, signs.respiratory_rate, signs.spo2, chills, nurse,
        )  # fmt: skip
        if chills:
            coming.facts["chills"] = at
        if signs.systolic >= 160:
            coming.facts.setdefault("pressure", (at, signs.systolic, signs.diastolic))
