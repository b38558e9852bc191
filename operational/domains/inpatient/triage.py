"""The triage zone that the measured values call for: the limits of ``reference/triage_vital_thresholds.csv``.

The file follows the standard of inpatient care (order ҚР ДСМ-27 of 24.03.2022); its limits are from general
knowledge and marked so. The rule proposes, the person at the desk decides.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from operational.domains.inpatient.schemas import Vitals

REFERENCE = Path(__file__).resolve().parents[3] / "reference"
# The worst first: a value of a red limit makes the whole patient red.
ZONES = ("red", "yellow", "green")
# The name of a parameter in the file: the field of the measurements.
FIELDS = {
    "SpO2 %": "spo2",
    "ЧСС": "pulse",
    "САД мм рт.ст.": "systolic",
    "ЧДД": "respiratory_rate",
    "Температура": "temperature",
}
LIMIT = re.compile(r"^(?:(<=|>=|<|>)\s*([\d.]+)|([\d.]+)-([\d.]+))$")
Test = Callable[[Decimal], bool]


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of triage: within which time a doctor sees the patient, and by what it is told."""

    code: str
    group: int
    criteria_ru: str
    time_to_doctor: str
    source: str


@lru_cache(maxsize=1)
def zones() -> dict[str, Zone]:
    """The zones by their code."""
    with (REFERENCE / "triage_zones.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["zone"]: Zone(row["zone"], int(row["group"]), row["criteria_ru"], row["time_to_doctor"], row["source"])
            for row in csv.DictReader(file)
        }


def read_limit(text: str) -> Test:
    """The limits of a cell, for instance ``<40 или >130`` or ``90-94``. Raises ValueError."""
    tests: list[Test] = []
    for part in text.split(" или "):
        match = LIMIT.match(part.strip())
        if match is None:
            raise ValueError(f"not a limit: {part}")
        sign, bound, low, high = match.groups()
        tests.append(_compare(sign, Decimal(bound)) if sign else _between(Decimal(low), Decimal(high)))
    return lambda value: any(test(value) for test in tests)


def _compare(sign: str, bound: Decimal) -> Test:
    return {
        "<": lambda value: value < bound, "<=": lambda value: value <= bound,
        ">": lambda value: value > bound, ">=": lambda value: value >= bound,
    }[sign]  # fmt: skip


def _between(low: Decimal, high: Decimal) -> Test:
    return lambda value: low <= value <= high


@lru_cache(maxsize=1)
def _limits() -> dict[str, dict[str, Test]]:
    with (REFERENCE / "triage_vital_thresholds.csv").open(encoding="utf-8", newline="") as file:
        return {
            FIELDS[row["parameter"]]: {zone: read_limit(row[zone]) for zone in ZONES if row[zone]}
            for row in csv.DictReader(file)
            if row["parameter"] in FIELDS
        }


def zone_of(field: str, value: Decimal | int) -> str | None:
    """The zone of one value; None where the file says nothing of it."""
    tests = _limits().get(field, {})
    return next((zone for zone in ZONES if zone in tests and tests[zone](Decimal(value))), None)


def proposed(vitals: Vitals) -> str | None:
    """The worst zone of the values; None when nothing was measured that the rule knows."""
    found = {
        zone
        for field in FIELDS.values()
        if (value := getattr(vitals, field)) is not None and (zone := zone_of(field, value)) is not None
    }
    return next((zone for zone in ZONES if zone in found), None)
