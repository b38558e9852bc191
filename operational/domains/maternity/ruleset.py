"""The rules of antenatal care as data: plan of visits, risk factors, bounds and warnings, by the day they hold on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

LEVELS = ("low", "moderate", "high")
PROTEINURIA = ("none", "trace", "1+", "2+", "3+")
OEDEMA = ("none", "legs", "generalised")


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """A visit that the rule plans, with the days between which it is due."""

    visit_no: int
    due_from: date
    due_to: date


@dataclass(frozen=True, slots=True)
class Gestation:
    """Term of a pregnancy in full weeks and days."""

    weeks: int
    days: int


@lru_cache(maxsize=8)
def _versions(name: str) -> tuple[dict[str, Any], ...]:
    path = Path(__file__).resolve().parent / "rules" / f"{name}.yml"
    return tuple(yaml.safe_load(path.read_text(encoding="utf-8"))["versions"])


def in_force(name: str, day: date) -> dict[str, Any]:
    """The version of a rule file on a day. Raises LookupError when none holds."""
    for version in _versions(name):
        if version["valid_from"] <= day and (version["valid_to"] is None or day < version["valid_to"]):
            return version
    raise LookupError(f"no version of the rule {name} on the day")


def _fits(conditions: Iterable[Mapping[str, Any]], figures: Mapping[str, float | Decimal | int | None]) -> bool:
    """Whether one of the conditions holds; an unknown figure fits none."""
    for condition in conditions:
        figure = figures.get(condition["figure"])
        if figure is None:
            continue
        if "from" in condition and figure >= Decimal(str(condition["from"])):
            return True
        if "below" in condition and figure < Decimal(str(condition["below"])):
            return True
    return False


def bounds(day: date) -> dict[str, Any]:
    """Bounds of the rule of pregnancies on a day."""
    return in_force("pregnancy", day)


def delivery_date(last_menstrual_date: date, day: date) -> date:
    """The expected day of delivery."""
    return last_menstrual_date + timedelta(days=int(bounds(day)["term_days"]))


def gestation(last_menstrual_date: date, day: date) -> Gestation:
    """The term on a day; none before the last menstruation."""
    weeks, days = divmod(max(0, (day - last_menstrual_date).days), 7)
    return Gestation(weeks, days)


def trimester_days(day: date) -> tuple[int, int]:
    """Days of pregnancy from which the second and the third trimester begin."""
    second, third = bounds(day)["trimester_weeks"]
    return second * 7, third * 7


def trimester(last_menstrual_date: date, day: date) -> int:
    """1, 2 or 3."""
    term = (day - last_menstrual_date).days
    return 1 + sum(term >= edge for edge in trimester_days(day))


def body_mass_index(height_cm: int | None, weight_kg: Decimal | None) -> Decimal | None:
    """kg/m2 with one decimal; None when either is unknown."""
    if not height_cm or weight_kg is None:
        return None
    return (weight_kg * 10_000 / (height_cm * height_cm)).quantize(Decimal("0.1"))


def plan(last_menstrual_date: date, registered_on: date) -> list[PlannedWindow]:
    """The visits that are still ahead on the day of registration, by the rule of that day."""
    rule = in_force("antenatal_visits", registered_on)
    found = []
    for number, visit in enumerate(rule["visits"]):
        due_from = last_menstrual_date + timedelta(weeks=visit["weeks_from"])
        due_to = last_menstrual_date + timedelta(weeks=visit["weeks_to"], days=6)
        if number == 0:
            due_to = max(due_to, registered_on + timedelta(days=rule["first_within_days"]))
        if due_to >= registered_on:
            found.append(PlannedWindow(visit["visit_no"], max(due_from, registered_on), due_to))
    return found


def factor_levels(day: date) -> dict[str, str]:
    """The risk factors of the rule with the level of each."""
    return {code: factor["level"] for code, factor in in_force("risk", day)["factors"].items()}


def automatic_factors(figures: Mapping[str, Decimal | int | None], day: date) -> set[str]:
    """The factors that follow from age, bmi, para and weeks_at_registration."""
    factors = in_force("risk", day)["factors"]
    return {code for code, factor in factors.items() if "when" in factor and _fits(factor["when"], figures)}


def follows_from_figures(day: date) -> set[str]:
    """The factors that nobody chooses: they follow from figures."""
    return {code for code, factor in in_force("risk", day)["factors"].items() if "when" in factor}


def risk_group(codes: Iterable[str], day: date) -> str:
    """The highest level among the factors, low when there are none."""
    levels = factor_levels(day)
    return max((levels.get(code, "low") for code in codes), key=LEVELS.index, default="low")


def warnings(figures: Mapping[str, Any], day: date) -> list[str]:
    """The warnings of a visit's figures; `proteinuria` and `oedema` are given by their codes."""
    known = dict(figures)
    for name, scale in (("proteinuria", PROTEINURIA), ("oedema", OEDEMA)):
        known[name] = scale.index(known[name]) if known.get(name) in scale else None
    found = [code for code, conditions in bounds(day)["warnings"].items() if _fits(conditions, known)]
    return [code for code in found if not (code == "pressure_high" and "pressure_very_high" in found)]


def edges(warning: str, day: date) -> list[float]:
    """The figures from which a warning is given, to draw them."""
    return [float(condition["from"]) for condition in bounds(day)["warnings"][warning] if "from" in condition]
