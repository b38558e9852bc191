"""Laboratory orders, reports and values, judged by ``reference/lab_reference_intervals.csv``.

Of older visits only a part has its order here, so that the store stays of a sensible size.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from operational.demo.attaching import Register
from operational.demo.hospital import Coming
from operational.demo.names import REFERENCE
from operational.demo.people import rows
from operational.demo.pregnancies import Expecting
from operational.demo.region import Region
from operational.demo.schema import Store
from operational.demo.timing import Timing
from operational.domains.orders.rules import rules as result_rules

OLD_VISITS: Final = 0.1
ALL_SINCE: Final = timedelta(days=5)
CANCELLED: Final = 0.02
CORRECTED: Final = 0.012
VOIDED: Final = 0.004
# Centre and upper limit where no interval is known. Source: from general knowledge, verify.
WITHOUT_INTERVAL: Final = {"TNI": (4.0, 26.0), "U_SG": (1.005, 1.03), "INR": (0.85, 1.15)}
CODED: Final = {"HBSAG": "negative", "HIV": "negative", "RPR": "negative", "ABO": "", "RH": ""}
# How a disease moves a value: chapter or code, test, in halves of the interval.
SHIFTS: Final = {
    ("J", "WBC"): 1.1, ("J", "CRP"): 4.0, ("J", "NEUT_PCT"): 0.8, ("A", "WBC"): 0.8, ("A", "CRP"): 2.5,
    ("K", "WBC"): 1.2, ("K", "AMY"): 0.9, ("K", "TBIL"): 0.6, ("D5", "HGB"): -3.2, ("D5", "FERR"): -1.2,
    ("E1", "GLU"): 3.6, ("E1", "HBA1C"): 3.0, ("I2", "TNI"): 14.0, ("I2", "CHOL"): 0.9, ("N1", "CREA"): 1.0,
    ("N1", "U_LEU"): 5.0, ("O14", "U_PRO"): 6.0, ("O72", "HGB"): -3.0, ("O99", "HGB"): -2.2, ("U0", "CRP"): 4.0,
}  # fmt: skip
Interval = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """Tests that are ordered together."""

    device: str
    tests: tuple[str, ...]


class Intervals:
    """Reference intervals by sex and age; those of pregnant women and of other populations are left out."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[bool, str, int, int, float | None, float | None]]] = {}
        special = result_rules().pregnancy_notes + result_rules().other_population_notes
        with (REFERENCE / "lab_reference_intervals.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if not row["note"].startswith(special):
                    self._rows.setdefault(row["test_code"], []).append((
                        bool(row["note"]), row["sex"], int(row["age_from_days"]), int(row["age_to_days"] or 99_999),
                        float(row["low"]) if row["low"] else None, float(row["high"]) if row["high"] else None,
                    ))  # fmt: skip
        self._cache: dict[tuple[str, str, int], Interval] = {}

    def of(self, test: str, sex: str, age: int) -> Interval:
        """The interval for the age in days; two None where there is none."""
        key = (test, sex, age // 30)
        found = self._cache.get(key)
        if found is None:
            fits = [r for r in self._rows.get(test, ()) if r[1] in (sex, "U") and r[2] <= age < r[3]]
            best = min(fits, key=lambda r: (r[0], r[1] == "U", -r[2]), default=None)
            found = self._cache[key] = (None, None) if best is None else (best[4], best[5])
        return found


def lab_units() -> dict[str, str]:
    """The unit of each test."""
    with (REFERENCE / "lab_tests.csv").open(encoding="utf-8", newline="") as file:
        return {row["test_code"]: row["unit"] for row in csv.DictReader(file)}


class LaboratoryWriter:
    """Writes laboratory orders with their results."""

    def __init__(self, rng: Random, store: Store, register: Register, region: Region, timing: Timing) -> None:
        self.rng = rng
        self.store = store
        self.register = register
        self.region = region
        self.timing = timing
        self.intervals = Intervals()
        self.units = lab_units()
        table = list(rows("lab_panels.csv"))
        self.panels = {r["panel"]: Panel(r["device"], tuple(r["tests"].split())) for r in table}
        self.by_service = {service: r["panel"] for r in table for service in r["services"].split()}
        self.codes = {(r["device"], r["test_code"]): r["device_code"] for r in rows("device_codes.csv")}
        self.hospital = region.organisations["hospital"]
        team = region.teams["hospital", "09"]
        self.doctor = next(w for w in team if w.position == "laboratory_doctor")
        self.reports = 0

    def run(self, stays: list[tuple[int, Coming]], expecting: list[Expecting], leaders: dict[int, int]) -> None:
        """``leaders``: the organisation that leads each woman's pregnancy."""
        self._of_visits()
        for _, coming in stays:
            self._of_stay(coming)
        for found in expecting:
            at = self.timing.at(found.registered, 10 + self.rng.random())
            organisation = leaders.get(found.person)
            if organisation is None or at >= self.timing.now or found.registered < self.timing.start:
                continue
            for panel in ("cbc", "pregnancy", "glucose", "urine"):
                self.order(panel, organisation, found.person, at, None, "Z34.9", "routine")
        self._expected_today()

    # --- what asks for it ------------------------------------------------------------------------------------

    def _of_visits(self) -> None:
        encounters, procedures = self.store.encounter, self.store.procedure
        main = {row[2]: row[4] for row in self.store.condition.rows if row[5] == "main" and row[11] is None}
        at = {name: procedures.columns.index(name) for name in procedures.columns}
        since = self.timing.now - ALL_SINCE
        for row in procedures.rows:
            panel = self.by_service.get(row[at["service_code"]])
            if panel is None or row[at["voided_at"]] is not None:
                continue
            performed = row[at["performed_at"]]
            if performed < since and self.rng.random() >= OLD_VISITS:
                continue
            patient = row[at["patient_id"]]
            if patient > len(self.register.people):
                continue
            encounter = row[at["encounter_id"]]
            self.order(
                panel, row[at["owner_organisation_id"]], patient - 1, performed, encounter, main.get(encounter),
                "routine", encounters.value(encounter, "practitioner_id"),
            )  # fmt: skip

    def _of_stay(self, coming: Coming) -> None:
        if coming.illness.profile.startswith("day_"):
            return
        code = coming.illness.icd10
        panels = ["cbc"]
        adult = self.register.people[coming.person].birth.year + 15 <= coming.begins.year
        if adult and (self.rng.random() < 0.6 or coming.icu):
            panels.append("chemistry")
        if code.startswith(("I20", "I21")):
            panels.append("cardiac")
        if code.startswith(("K8", "K56")):
            panels.append("amylase")
        if code.startswith("E1"):
            panels.append("hba1c")
        if code.startswith(("N1", "O1")):
            panels.append("urine")
        if coming.operated and self.rng.random() < 0.4:
            panels.append("clotting")
        owner = self.region.organisations[coming.organisation]
        priority = "stat" if coming.icu else "urgent" if coming.emergency else "routine"
        at = coming.begins + timedelta(minutes=self.rng.randint(5, 50))
        for panel in panels:
            self.order(panel, owner, coming.person, at, None, code, priority)
        later = at + timedelta(days=4)
        if later < (coming.discharged or self.timing.now) and self.rng.random() < 0.3:
            self.order("cbc", owner, coming.person, later, None, code, "routine")

    def _expected_today(self) -> None:
        """Orders of this morning whose samples are under way."""
        alive = [p for p in range(len(self.register.people)) if self.register.free_on(p, self.timing.today)]
        owner = self.region.organisations["polyclinic"]
        for number, person in enumerate(self.rng.sample(alive, min(8, len(alive)))):
            ordered = self.timing.now - timedelta(minutes=self.rng.randint(15, 120))
            panel = self.panels["cbc" if number % 2 else "chemistry"]
            self._order(panel, owner, person, ordered, None, "Z00.0", "routine", None, "active", None)

    # --- orders and results ----------------------------------------------------------------------------------

    def order(
        self, name: str, owner: int, person: int, at: datetime, encounter: int | None, icd10: str | None,
        priority: str, practitioner: int | None = None,
    ) -> None:  # fmt: skip
        """An order; with its report when there has been time for one."""
        rng, panel = self.rng, self.panels[name]
        at = at.replace(second=0, microsecond=0)
        if rng.random() < CANCELLED:
            self._order(panel, owner, person, at, encounter, icd10, priority, practitioner, "cancelled", None)
            return
        hours = rng.uniform(0.7, 3) if priority != "routine" else rng.uniform(3, 30)
        issued = at + timedelta(minutes=round(60 * hours))
        collected = at + timedelta(minutes=round(60 * hours * 0.3))
        death = self.register.people[person].death
        if death is not None and self.timing.day(collected) >= death:
            self._order(panel, owner, person, at, encounter, icd10, priority, practitioner, "cancelled", None)
            return
        if issued > self.timing.now:
            status = "in_progress" if collected < self.timing.now else "active"
            self._order(panel, owner, person, at, encounter, icd10, priority, practitioner, status, None)
            return
        key = self._order(panel, owner, person, at, encounter, icd10, priority, practitioner, "completed", issued)
        self._report(panel, key, person, collected, issued, icd10)

    def _order(
        self, panel: Panel, owner: int, person: int, at: datetime, encounter: int | None, icd10: str | None,
        priority: str, practitioner: int | None, status: str, completed: datetime | None,
    ) -> int:  # fmt: skip
        number = len(self.store.diagnostic_order) + 1
        cancelled = self.timing.past(at + timedelta(hours=20)) if status == "cancelled" else None
        key = self.store.diagnostic_order.add(
            owner, f"{at:%y}{number:08d}", person + 1, "laboratory", encounter, None, practitioner, None,
            self.hospital, None, None, None, icd10, None, priority, status, at, None, None, completed, cancelled,
            "Үлгі алынбады / Образец не взят" if cancelled else None,
        )  # fmt: skip
        for test in panel.tests:
            self.store.order_test.add(owner, key, person + 1, test)
        return key

    def _report(
        self, panel: Panel, order: int, person: int, collected: datetime, issued: datetime, icd10: str | None
    ) -> None:
        self.reports += 1
        corrected, void = self.rng.random() < CORRECTED, self.rng.random() < VOIDED
        voided = (self.timing.past(issued + timedelta(hours=2)), "wrong_patient") if void else (None, None)
        status = "corrected" if corrected else "final"
        key = self.store.diagnostic_report.add(
            self.hospital, person + 1, order, "laboratory", "device" if panel.device else "manual",
            f"{panel.device}-{self.reports:07d}" if panel.device else None, None, None, status, collected, issued,
            self.doctor.practitioner, None, *voided,
        )  # fmt: skip
        who = self.register.people[person]
        age = max((self.timing.day(collected) - who.birth).days, 0)
        for test in panel.tests:
            device_code = self.codes.get((panel.device, test))
            if test in CODED:
                text = self._coded(test, person)
                self.store.lab_result.add(
                    self.hospital, key, person + 1, test, device_code, "coded", None, text, None, None, None,
                    "A" if text in ("positive", "weak_positive") else None, status, collected, *voided,
                )  # fmt: skip
                continue
            low, high = self.intervals.of(test, who.sex, age)
            value = self._value(test, low, high, icd10 or "")
            self.store.lab_result.add(
                self.hospital, key, person + 1, test, device_code, "numeric", value, None, self.units[test] or None,
                low, high, _interpret(value, low, high), status, collected, *voided,
            )  # fmt: skip

    def _coded(self, test: str, person: int) -> str:
        if test == "ABO":
            return ("group_o", "group_a", "group_b", "group_a", "group_o", "group_b", "group_ab")[person % 7]
        if test == "RH":
            return "rh_negative" if person % 17 == 0 else "rh_positive"
        return "positive" if self.rng.random() < 0.006 else "negative"

    def _value(self, test: str, low: float | None, high: float | None, icd10: str) -> float:
        if high is None:
            low, high = WITHOUT_INTERVAL.get(test, (low or 1.0, (low or 1.0) * 3))
        bottom = low if low is not None else 0.15 * high
        middle, half = (bottom + high) / 2, (high - bottom) / 2
        shift = next((SHIFTS[key, test] for key in (icd10[:3], icd10[:2], icd10[:1]) if (key, test) in SHIFTS), 0.0)
        value = middle + half * (self.rng.gauss(0, 0.52) + shift * self.rng.uniform(0.4, 1.2))
        value = max(value, bottom * 0.25)
        return round(value, 0 if high >= 120 else 1 if high >= 12 else 3 if test == "U_SG" else 2)


def _interpret(value: float, low: float | None, high: float | None) -> str | None:
    if low is None and high is None:
        return None
    if low is not None and value < low:
        return "L"
    return "H" if high is not None and value > high else "N"


def leaders_of(store: Store, keys: list[int], last: date) -> dict[int, int]:
    """The organisation that registered each woman's newest pregnancy, by her place in the register."""
    found: dict[int, int] = {}
    for key in keys:
        if store.pregnancy.value(key, "registered_on") <= last:
            found[store.pregnancy.value(key, "patient_id") - 1] = store.pregnancy.value(key, "owner_organisation_id")
    return found
