"""Pregnancies as they stand in the record: care, plan, visits with their figures, births."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from operational.demo.attaching import Register
from operational.demo.pregnancies import Delivery, Expecting
from operational.demo.region import Post, Region
from operational.demo.schema import Store
from operational.demo.timing import Timing, weighted
from operational.domains.maternity import ruleset

HELD: Final = 0.9
WARD: Final = {"hospital": "06", "perinatal": "02"}
BESIDE_PLAN: Final = 0.25
TAKEN_OVER: Final = 0.45
WORD: Final = {
    "kk": ("Жүктілік физиологиялық өтуде", "Преэклампсия белгілері, стационарға жіберілді"),
    "ru": ("Беременность протекает физиологически", "Признаки преэклампсии, направлена в стационар"),
}
MOVED: Final = "Тұрғылықты жерін ауыстыру / Смена места жительства"
HIGH_RISK: Final = "Жоғары қауіп тобы / Группа высокого риска"


class AntenatalWriter:
    """Writes pregnancies; ``keys`` gives the key of each."""

    def __init__(self, rng: Random, store: Store, register: Register, region: Region, timing: Timing) -> None:
        self.rng = rng
        self.store = store
        self.register = register
        self.region = region
        self.timing = timing
        self.keys: list[int] = []
        self.names = {key: name for name, key in region.organisations.items()}
        self.obstetricians = [p for p in region.posts if p.specialty == "obstetrics" and p.until is None]

    def run(self, expecting: list[Expecting]) -> None:
        """In the order of registration; births after them in the order of time."""
        ordered = sorted(expecting, key=lambda e: (e.registered, e.person))
        for found in ordered:
            self.keys.append(self._pregnancy(found))
        births = [(found.delivery, found, key) for found, key in zip(ordered, self.keys, strict=True) if found.delivery]
        for delivery, found, key in sorted(births, key=lambda b: (b[0].born, b[1].person)):
            self._birth(delivery, found, key)

    # --- who leads it ----------------------------------------------------------------------------------------

    def _organisation(self, person: int, day: date) -> int:
        for stay in self.register.stays[person]:
            if stay.since <= day and (stay.until is None or day < stay.until):
                return stay.organisation
        stays = self.register.stays[person]
        return stays[0].organisation if stays else self.region.organisations["polyclinic"]

    def _leader(self, organisation: int, person: int, day: date) -> Post:
        """The obstetrician of the polyclinic; elsewhere a doctor of the organisation."""
        if organisation == self.region.organisations["polyclinic"]:
            return self.obstetricians[person % len(self.obstetricians)]
        own = [p for p in self.region.posts if p.organisation == organisation and p.works_on(day)]
        return own[person % len(own)] if own else self.obstetricians[0]

    def _pregnancy(self, found: Expecting) -> int:
        person, woman = found.person, found.person + 1
        organisation = self._organisation(person, found.registered)
        key = self.store.pregnancy.add(
            organisation, woman, found.registered, found.last_menstrual,
            ruleset.delivery_date(found.last_menstrual, found.registered), found.gravida, found.para, found.height,
            float(found.weight), found.risk, found.ended, found.outcome,
            datetime.combine(found.registered, time(6)),
        )  # fmt: skip
        care = self._care(found, key, organisation)
        for code in found.factors:
            self.store.pregnancy_risk_factor.add(organisation, key, woman, code, found.registered)
        self._visits(found, key, care)
        return key

    def _care(self, found: Expecting, key: int, organisation: int) -> list[tuple[int, date]]:
        """The organisations that lead it, each from a day on: a part goes over to the polyclinic."""
        polyclinic = self.region.organisations["polyclinic"]
        last = found.ended or self.timing.today
        care = [(organisation, found.registered)]
        change = found.last_menstrual + timedelta(days=self.rng.randint(120, 200))
        if organisation != polyclinic and found.registered < change < last and self.rng.random() < TAKEN_OVER:
            care.append((polyclinic, change))
        for number, (leader, since) in enumerate(care):
            until = care[number + 1][1] if number + 1 < len(care) else None
            reason = None if number == 0 else HIGH_RISK if found.risk == "high" else MOVED
            self.store.pregnancy_care.add(
                leader, key, found.person + 1, self._leader(leader, found.person, since).practitioner, reason, since,
                until,
            )  # fmt: skip
        return care

    # --- visits ----------------------------------------------------------------------------------------------

    def _visits(self, found: Expecting, key: int, care: list[tuple[int, date]]) -> None:
        last = found.ended or self.timing.today
        day = found.registered
        self._plan(found, key, care[0][0])
        held: list[tuple[date, int | None]] = []
        for window in ruleset.plan(found.last_menstrual, found.registered):
            if window.visit_no == 1:
                held.append((day, 1))
                continue
            if self.rng.random() < HELD:
                held.append((window.due_from + timedelta(days=self.rng.randint(0, 10)), window.visit_no))
        if self.rng.random() < BESIDE_PLAN:
            held.append((found.registered + timedelta(days=self.rng.randint(20, 150)), None))
        if held and held[0][1] != 1:
            held.insert(0, (day, None))
        for on, number in sorted(held, key=lambda h: (h[0], h[1] or 0)):
            on += timedelta(days=max(0, on.weekday() - 4) and 7 - on.weekday())
            if on < last or (on == last and found.ended is None):
                self._visit(found, key, care, on, number)

    def _plan(self, found: Expecting, key: int, organisation: int) -> None:
        for window in ruleset.plan(found.last_menstrual, found.registered):
            self.store.planned_pregnancy_visit.add(
                organisation, key, found.person + 1, window.visit_no, window.due_from, window.due_to
            )

    def _visit(self, found: Expecting, key: int, care: list[tuple[int, date]], on: date, number: int | None) -> None:
        rng = self.rng
        at = self.timing.at(on, 8.5 + 8 * rng.random())
        if at > self.timing.now or any(
            c.arrived <= at and (c.discharged is None or at <= c.discharged) for c in found.comings
        ):
            return
        organisation = next(leader for leader, since in reversed(care) if since <= on or leader == care[0][0])
        leader = self._leader(organisation, found.person, on)
        term = (on - found.last_menstrual).days
        ill = found.preeclampsia and term > 180
        systolic = round(rng.gauss(150 if ill else 112, 8))
        systolic = max(88, systolic)
        gained = 0.05 * max(0, term - 70)
        self.store.pregnancy_visit.add(
            organisation, key, found.person + 1, number, at, leader.practitioner,
            weighted(rng, (("polyclinic", 97.0), ("home", 3.0))), term, round(float(found.weight) + gained, 1),
            systolic, max(50, round(systolic * 0.63 + rng.gauss(0, 3))), term // 7 if term > 140 else None,
            round(rng.gauss(142, 8)) if term > 84 else None,
            rng.choice(("legs", "generalised")) if ill else weighted(rng, (("none", 90.0), ("legs", 10.0))),
            rng.choice(("1+", "2+")) if ill else weighted(rng, (("none", 92.0), ("trace", 8.0))),
            WORD["kk" if leader.kazakh else "ru"][1 if ill else 0],
            on + timedelta(days=28 if term < 210 else 14),
        )  # fmt: skip

    # --- births ----------------------------------------------------------------------------------------------

    def _birth(self, delivery: Delivery, found: Expecting, key: int) -> None:
        rng = self.rng
        ward = delivery.organisation, WARD[delivery.organisation]
        department = self.region.departments[ward]
        team = [w for w in self.region.teams[ward] if w.specialty == "obstetrics"]
        live = delivery.child is not None
        first = min(max(round(rng.gauss(7.6 if delivery.weeks >= 36 else 6.2, 0.8)), 2), 9)
        self.store.birth.add(
            self.region.organisations[delivery.organisation], found.person + 1, key,
            delivery.child + 1 if delivery.child is not None else None, delivery.born, self.timing.day(delivery.born),
            1, 1, delivery.place, department if delivery.place == "hospital" else None,
            "live" if live else rng.choice(("stillborn_antenatal", "stillborn_antenatal", "stillborn_intranatal")),
            delivery.sex, delivery.mode, min(max(delivery.weeks, 22), 43), delivery.weight,
            min(max(round(50.5 - 0.4 * max(0, 39 - delivery.weeks) + rng.gauss(0, 1.6)), 28), 58),
            first if live else 0, min(first + 1, 10) if live else 0, rng.choice(team).practitioner,
            delivery.born + timedelta(minutes=40),
        )  # fmt: skip
