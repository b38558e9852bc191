"""Pregnancies from registration to their end: births of the children that the register holds, losses, open ones.

Each child born within the time shown has a pregnancy. Shares of risk, loss and operation are own estimates, from
general knowledge, verify; plan and risk groups come from the rules of the domain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from operational.demo.attaching import Register
from operational.demo.hospital import Coming, HospitalPlanner, Illness
from operational.demo.people import age_on
from operational.demo.timing import Timing, weighted
from operational.domains.maternity import ruleset

REGISTERED_WEEKS: Final = ((6, 8.0), (7, 17.0), (8, 22.0), (9, 18.0), (10, 11.0), (11, 8.0), (13, 6.0), (16, 5.0),
                           (20, 3.0), (26, 2.0))  # fmt: skip
BIRTH_DAYS: Final = 274
LOSSES: Final = (("miscarriage", 40.0), ("abortion", 34.0), ("missed", 18.0), ("ectopic", 8.0))
LOSSES_PER_BIRTH: Final = 0.16
LOSS_STAYS: Final = {"miscarriage": ("O03.4", "OP08-06"), "abortion": ("O04.9", "OP09-09"),
                     "missed": ("O02.1", "OP08-06"), "ectopic": ("O00.1", "OP08-05")}  # fmt: skip
CHOSEN_FACTORS: Final = (
    ("uterine_scar", 0.11), ("preeclampsia_history", 0.025), ("preterm_history", 0.025), ("recurrent_loss", 0.04),
    ("chronic_hypertension", 0.02), ("diabetes", 0.02), ("kidney_disease", 0.03), ("severe_anaemia", 0.02),
    ("thrombosis", 0.01), ("infection", 0.01), ("placenta_praevia", 0.006), ("rh_sensitisation", 0.008),
    ("amniotic_fluid", 0.03), ("growth_restriction", 0.02), ("heart_disease", 0.01),
)  # fmt: skip
PATHOLOGY: Final = (("O20.0", 25.0), ("O47.0", 25.0), ("O99.0", 22.0), ("O14.0", 12.0), ("O13", 10.0), ("O14.1", 6.0))
PATHOLOGY_SHARE: Final = 0.2
CAESAREAN: Final = 0.22
HAEMORRHAGE: Final = 0.018
FERTILE: Final = (18, 41)


@dataclass(slots=True)
class Delivery:
    """A birth; ``child`` is the place of the newborn in the register, None for a stillborn one."""

    child: int | None
    born: datetime
    weeks: int
    mode: str
    place: str
    organisation: str
    sex: str
    weight: int


@dataclass(slots=True)
class Expecting:
    """A pregnancy; ``ended`` and ``outcome`` are None while it goes on."""

    person: int
    last_menstrual: date
    registered: date
    gravida: int
    para: int
    height: int
    weight: Decimal
    factors: list[str]
    risk: str
    ended: date | None = None
    outcome: str | None = None
    delivery: Delivery | None = None
    preeclampsia: bool = False
    comings: list[Coming] = field(default_factory=list)


class PregnancyPlanner:
    """Decides pregnancies and the stays that belong to them."""

    def __init__(self, rng: Random, register: Register, timing: Timing, planner: HospitalPlanner) -> None:
        self.rng = rng
        self.register = register
        self.timing = timing
        self.planner = planner
        self.expecting: list[Expecting] = []
        self.periods: dict[int, list[tuple[date, date]]] = {}
        self.children: dict[int, list[date]] = {}

    def run(self) -> None:
        """Births first, then losses and the pregnancies that go on."""
        people = self.register.people
        for who in people:
            if who.mother is not None:
                self.children.setdefault(who.mother, []).append(who.birth)
        born = [place for place, who in enumerate(people)
                if who.mother is not None and who.birth >= self.timing.start]  # fmt: skip
        for child in born:
            self._birth(child)
        women = [
            place
            for place, who in enumerate(people)
            if who.sex == "F"
            and who.death is None
            and self.register.stays[place]
            and FERTILE[0] <= age_on(who.birth, self.timing.today) <= FERTILE[1]
        ]
        span = max((self.timing.today - self.timing.start).days, 1)
        self._losses(women, round(len(born) * LOSSES_PER_BIRTH) + 1, span)
        self._stillborn(women, max(len(born) // 130, 1), span)
        self._open(women, max(round(len(born) / span * 200), 6))

    # --- the pregnancy ---------------------------------------------------------------------------------------

    def _expect(self, person: int, last_menstrual: date, end: date | None) -> Expecting | None:
        """A pregnancy of the woman, registered before its end; None when another one is too near."""
        until = end or last_menstrual + timedelta(days=300)
        if any(last_menstrual <= b + timedelta(days=40) and a <= until for a, b in self.periods.get(person, ())):
            return None
        who = self.register.people[person]
        weeks = weighted(self.rng, REGISTERED_WEEKS)
        registered = last_menstrual + timedelta(days=7 * weeks + self.rng.randint(0, 6))
        registered = min(registered, until - timedelta(days=2))
        if registered > self.timing.today:
            return None
        para = sum(1 for born in self.children.get(person, []) if born < last_menstrual)
        height, weight = round(self.rng.gauss(162, 5)), Decimal(round(self.rng.gauss(64, 10))).quantize(Decimal("0.1"))
        figures = {
            "age": age_on(who.birth, registered), "bmi": ruleset.body_mass_index(height, weight), "para": para,
            "weeks_at_registration": (registered - last_menstrual).days // 7,
        }  # fmt: skip
        factors = sorted(ruleset.automatic_factors(figures, registered))
        for code, share in CHOSEN_FACTORS:
            if self.rng.random() < share and (code != "uterine_scar" or para):
                factors.append(code)
        found = Expecting(
            person, last_menstrual, registered, para + 1 + (self.rng.random() < 0.25), para, height, weight, factors,
            ruleset.risk_group(factors, registered), end, preeclampsia=self.rng.random() < 0.045,
        )  # fmt: skip
        self.periods.setdefault(person, []).append((last_menstrual, until))
        self.expecting.append(found)
        return found

    def _birth(self, child: int) -> None:
        newborn = self.register.people[child]
        born = self.timing.at(newborn.birth, 0.5 + 23 * self.rng.random())
        if newborn.mother is None or newborn.death == newborn.birth or born >= self.timing.now:
            return
        self._delivery(newborn.mother, child, born, newborn.sex)

    def _delivery(self, mother: int, child: int | None, born: datetime, sex: str) -> None:
        rng = self.rng
        died = child is not None and self.register.people[child].death is not None
        term = BIRTH_DAYS - round(abs(rng.gauss(0, 7))) + rng.randint(0, 9)
        if child is None or died or rng.random() < 0.06:
            term -= rng.randint(20, 70)
        day = self.timing.day(born)
        found = self._expect(mother, day - timedelta(days=term), day)
        if found is None:
            return
        caesarean = rng.random() < (0.75 if "uterine_scar" in found.factors else CAESAREAN * 0.75)
        planned = caesarean and rng.random() < 0.5
        mode = "caesarean_planned" if planned else "caesarean_emergency" if caesarean else (
            "assisted" if rng.random() < 0.02 else "vaginal")  # fmt: skip
        organisation = "perinatal" if rng.random() < (0.55 if found.risk == "high" else 0.08) else "hospital"
        place = "home" if mode == "vaginal" and rng.random() < 0.005 else "hospital"
        weight = min(max(round(rng.gauss(3350 - 22 * max(0, 273 - term), 420)), 620), 5100)
        found.outcome = "birth"
        found.delivery = Delivery(child, born, term // 7, mode, place, organisation, sex, weight)
        self._birth_stay(found, found.delivery, mother, planned)
        self._pathology(found, day - timedelta(days=3))

    def _birth_stay(self, found: Expecting, delivery: Delivery, mother: int, planned: bool) -> None:
        rng, born = self.rng, delivery.born
        lost_blood = rng.random() < HAEMORRHAGE
        severe = found.preeclampsia and rng.random() < 0.4
        operation = {"caesarean_planned": "OP09-01", "caesarean_emergency": "OP09-02", "assisted": "OP09-03"}.get(
            delivery.mode, "OP09-06" if rng.random() < 0.12 else "")  # fmt: skip
        code = "O72.1" if lost_blood else "O14.1" if severe else "O14.0" if found.preeclampsia else (
            "O82.0" if planned else "O82.1" if delivery.mode == "caesarean_emergency" else
            rng.choice(("O80.0", "O80.0", "O80.9", "O42.0", "O68.0")))  # fmt: skip
        arrived = (
            born + timedelta(minutes=20)
            if delivery.place == "home"
            else (born - timedelta(hours=rng.uniform(14, 40) if planned else rng.uniform(1.5, 14)))
        )
        arrived = arrived.replace(second=0, microsecond=0)
        decided = arrived + timedelta(minutes=rng.randint(8, 40))
        days = rng.randint(4, 6) if delivery.mode.startswith("caesarean") else rng.randint(2, 4)
        discharged = self.timing.at(self.timing.day(born) + timedelta(days=days), 10 + 4 * rng.random())
        illness = Illness(code, delivery.organisation, "obstetric", operation=operation, operated=1.0)
        coming = Coming(
            mother, delivery.organisation, illness, not planned, "planned_portal" if planned else
            rng.choice(("ambulance", "self", "self")), arrived, decided, "admitted",
            icu=severe or (lost_blood and rng.random() < 0.5), operated=bool(operation), transfused=lost_blood,
            facts={"born": born},
        )  # fmt: skip
        if discharged < self.timing.now:
            coming.discharged, coming.outcome = discharged, "discharged"
        if lost_blood or severe:
            coming.tags.add("critical")
        if (lost_blood or severe) and rng.random() < 0.2:
            coming.tags.add("chills")
        coming.tags.add("pregnancy")
        found.comings.append(coming)
        self.planner.add(coming)

    def _pathology(self, found: Expecting, latest: date) -> None:
        """A stay for a disease of the pregnancy, before ``latest``."""
        wanted = 0.85 if found.preeclampsia else PATHOLOGY_SHARE
        if self.rng.random() >= wanted:
            return
        code = self.rng.choice(("O14.0", "O14.0", "O14.1", "O13")) if found.preeclampsia else weighted(
            self.rng, PATHOLOGY)  # fmt: skip
        early = code == "O20.0"
        first = found.last_menstrual + timedelta(weeks=8 if early else 26)
        last = min(latest - timedelta(days=9), found.last_menstrual + timedelta(weeks=20 if early else 38))
        first = max(first, found.registered + timedelta(days=1), self.timing.start)
        if first >= last:
            return
        day = first + timedelta(days=self.rng.randint(0, (last - first).days))
        self.hospitalise(found, code, self.timing.at(day, 8 + 12 * self.rng.random()))

    def hospitalise(self, found: Expecting, code: str, arrived: datetime) -> Coming | None:
        """A stay of a pregnant woman that begins then; None when it cannot."""
        critical = code in ("O14.1", "O15.0")
        decided = arrived + timedelta(minutes=self.rng.randint(8, 40))
        discharged = self.timing.at(
            self.timing.day(arrived) + timedelta(days=self.rng.randint(4, 8)), 10 + 4 * self.rng.random()
        )
        if decided >= self.timing.now or not self.planner.is_free(found.person, arrived, discharged):
            return None
        organisation = "perinatal" if found.risk == "high" and self.rng.random() < 0.3 else "hospital"
        coming = Coming(
            found.person, organisation, Illness(code, organisation, "pregnancy_pathology"), True,
            weighted(self.rng, (("polyclinic_referral", 55.0), ("ambulance", 30.0), ("self", 15.0))), arrived, decided,
            "admitted", icu=critical and self.rng.random() < 0.5, tags={"pregnancy"},
        )  # fmt: skip
        if critical:
            coming.tags.add("critical")
        if discharged < self.timing.now:
            coming.discharged, coming.outcome = discharged, "discharged"
        found.comings.append(coming)
        self.planner.add(coming)
        return coming

    # --- losses and open ones --------------------------------------------------------------------------------

    def _losses(self, women: list[int], count: int, span: int) -> None:
        for _ in range(count):
            person, outcome = self.rng.choice(women), weighted(self.rng, LOSSES)
            end = self.timing.start + timedelta(days=self.rng.randint(1, max(span - 8, 2)))
            found = self._expect(person, end - timedelta(days=self.rng.randint(50, 84)), end)
            if found is None:
                continue
            found.outcome = outcome
            code, operation = LOSS_STAYS[outcome]
            arrived = self.timing.at(end, 8 + 8 * self.rng.random())
            decided = arrived + timedelta(minutes=self.rng.randint(10, 50))
            discharged = self.timing.at(end + timedelta(days=self.rng.randint(2, 5)), 11)
            if discharged >= self.timing.now or not self.planner.is_free(person, arrived, discharged):
                continue
            planned = outcome == "abortion"
            coming = Coming(
                person, "hospital", Illness(code, "hospital", "gynaecology", operation=operation), not planned,
                "planned_portal" if planned else "self", arrived, decided, "admitted", discharged, "discharged",
                operated=True, transfused=outcome == "ectopic" and self.rng.random() < 0.4, tags={"pregnancy"},
            )  # fmt: skip
            found.comings.append(coming)
            self.planner.add(coming)

    def _stillborn(self, women: list[int], count: int, span: int) -> None:
        for _ in range(count):
            day = self.timing.start + timedelta(days=self.rng.randint(1, max(span - 10, 2)))
            born = self.timing.at(day, 1 + 22 * self.rng.random())
            mother = self.rng.choice(women)
            if self.planner.is_free(mother, born - timedelta(days=2), born + timedelta(days=7)):
                self._delivery(mother, None, born, self.rng.choice("MF"))

    def _open(self, women: list[int], count: int) -> None:
        made: list[Expecting] = []
        for _ in range(count * 4):
            if len(made) >= count:
                break
            found = self._expect(
                self.rng.choice(women), self.timing.today - timedelta(days=self.rng.randint(50, 272)), None
            )
            if found is not None:
                made.append(found)
        for found in made:
            self._pathology(found, self.timing.today)
        late = [found for found in made if (self.timing.today - found.last_menstrual).days > 190]
        for found, code, tag in zip(late, ("O14.1", "O14.1", "O13"), ("", "chills", "pressure"), strict=False):
            coming = self.hospitalise(found, code, self.timing.now - timedelta(hours=self.rng.randint(16, 50)))
            if coming is not None:
                coming.discharged = coming.outcome = None
                found.preeclampsia = True
                coming.tags |= {"critical", *([tag] if tag == "chills" else [])}
