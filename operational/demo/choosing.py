"""Who comes to which doctor, and with what: by age, diseases, season, doctor's specialty and what was before."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from itertools import accumulate
from random import Random
from typing import Final

from operational.demo.attaching import Register
from operational.demo.morbidity import Disease, Morbidity
from operational.demo.people import age_on, rows
from operational.demo.records import Plan
from operational.demo.region import Post, Region
from operational.domains.catalogs import files

HOME_SERVICE: Final = {"general_practice": "HOM-001", "therapy": "HOM-002", "paediatrics": "HOM-003"}
# How often people come, by the age from which it holds; only the proportions count.
AGES: Final = (0, 1, 5, 15, 40, 60)
VISITS_BY_AGE: Final = (9.0, 4.5, 2.2, 1.5, 2.2, 3.2)
REMOTE_SERVICE: Final = "VIS-506"
PREVENTIVE_SHARE: Final = {"paediatrics": 0.34, "therapy": 0.16, "general_practice": 0.22, "dentistry": 0.12,
                           "obstetrics": 0.5, "ophthalmology": 0.12, "otolaryngology": 0.08}  # fmt: skip


class Chooser:
    """Draws people for a doctor and decides what brings them."""

    def __init__(
        self, rng: Random, register: Register, region: Region, morbidity: Morbidity, start: date, today: date
    ) -> None:
        self.rng = rng
        self.first_day = start
        self.register = register
        self.morbidity = morbidity
        self.region = region
        self.middle = start + (today - start) / 2
        self.visit_services = {
            (row["specialty_code"], row["visit_kind"]): row["code"]
            for row in files.read(files.OWN_DATA / "services.csv")
            if row["specialty_code"]
        }
        self.groups = {row["icd10"]: row["group"] for row in rows("chronic.csv")}
        self.known: set[tuple[int, str]] = set()
        self._by_site: dict[int, tuple[list[int], list[float]]] = {}
        self._by_specialty: dict[str, tuple[list[int], list[float]]] = {}
        self._prepare()

    def _prepare(self) -> None:
        weights = [self._weight(person) for person in range(len(self.register.people))]
        members: dict[int, list[int]] = {}
        for person, stays in enumerate(self.register.stays):
            for site in dict.fromkeys(stay.site for stay in stays):
                members.setdefault(site, []).append(person)
        for site, people in members.items():
            self._by_site[site] = people, list(accumulate(weights[p] for p in people))
        for specialty in dict.fromkeys(post.specialty for post in self.region.posts if not post.ambulant):
            chosen = [(p, self._specialist_weight(p, specialty, weights[p])) for p in range(len(weights))]
            chosen = [(p, weight) for p, weight in chosen if weight > 0]
            self._by_specialty[specialty] = [p for p, _ in chosen], list(accumulate(w for _, w in chosen))

    def _weight(self, person: int) -> float:
        who = self.register.people[person]
        age = max(0, age_on(who.birth, self.middle))
        base = VISITS_BY_AGE[bisect_right(AGES, age) - 1]
        if who.sex == "F" and 15 <= age < 60:
            base *= 1.35
        return (base + 2.5 * len(who.chronic)) * self.rng.uniform(0.3, 1.9)

    def _specialist_weight(self, person: int, specialty: str, weight: float) -> float:
        who = self.register.people[person]
        age = age_on(who.birth, self.middle)
        if specialty == "obstetrics" and (who.sex != "F" or age < 15):
            return 0.0
        if specialty in ("cardiology", "endocrinology", "neurology") and age < 15:
            return 0.0
        treats = any(self.morbidity.chronic[code]["specialty"] == specialty for code, _ in who.chronic)
        return weight * (6.0 if treats else 1.0)

    def draw(self, post: Post, day: date, busy: set[int]) -> int | None:
        """Someone who may come to this doctor on this day and has not come anywhere that day."""
        site = post.site_on(day) if post.ambulant else None
        pool = self._by_site.get(site) if site is not None else self._by_specialty.get(post.specialty)
        if not pool or not pool[0]:
            return None
        people, cumulative = pool
        for _ in range(8):
            person = self.rng.choices(people, cum_weights=cumulative)[0]
            if person in busy or not self.register.free_on(person, day):
                continue
            here = self.register.site_on(person, day)
            if here is not None and (site is None or here == site):
                return person
        return None

    # --- what brings them ------------------------------------------------------------------------------------

    def plan(self, person: int, post: Post, day: date) -> Plan:
        """A first visit of a case, or a visit under observation."""
        who = self.register.people[person]
        age = age_on(who.birth, day)
        chance = self.rng.random()
        if chance < PREVENTIVE_SHARE.get(post.specialty, 0.0) * (1.8 if age < 3 else 1.0):
            preventive = self.morbidity.preventive(self.rng, post.specialty, age, who.sex)
            if preventive:
                return Plan(person, preventive.icd10, "preventive", preventive.reason, "primary", "na", False,
                            preventive.service)  # fmt: skip
        open_cases = self._open_cases(person, post, day)
        if open_cases and self.rng.random() < 0.62:
            return self._observation(person, post, open_cases)
        disease = self.morbidity.disease(self.rng, post.specialty, age, who.sex, day.month)
        return self.acute(person, post, disease or Disease("R68.8", "general", "suspected_disease"), open_cases)

    def _open_cases(self, person: int, post: Post, day: date) -> list[str]:
        found = [code for code, since in self.register.people[person].chronic if since <= day]
        if post.ambulant:
            return found
        return [code for code in found if self.morbidity.chronic[code]["specialty"] == post.specialty]

    def _observation(self, person: int, post: Post, cases: list[str]) -> Plan:
        code = self.rng.choice(cases)
        first = self._is_first(person, code)
        worse = not first and self.rng.random() < 0.2
        others = [other for other in cases if other != code]
        comorbid = self.rng.choice(others) if others and self.rng.random() < 0.55 else None
        reason = "suspected_disease" if first else "chronic_exacerbation" if worse else "dynamic_observation"
        return Plan(
            person, code, self.groups[code], reason, "primary" if first else "repeat",
            "chronic_first" if first else "chronic_known", first,
            self.service(post.specialty, "primary" if first else "repeat"), comorbid=comorbid,
        )  # fmt: skip

    def _is_first(self, person: int, code: str) -> bool:
        """Whether the disease is found now: it began within the time shown and nobody wrote it down yet."""
        if (person, code) in self.known:
            return False
        self.known.add((person, code))
        since = next((day for case, day in self.register.people[person].chronic if case == code), None)
        return since is not None and since >= self.first_day

    def acute(self, person: int, post: Post, disease: Disease, cases: list[str]) -> Plan:
        """The first visit for an acute disease."""
        comorbid = self.rng.choice(cases) if cases and self.rng.random() < 0.3 else None
        injury = self.morbidity.injuries.draw(self.rng) if disease.icd10[0] in "ST" else None
        return Plan(
            person, disease.icd10, disease.group, disease.reason, "primary", "acute", True,
            self.service(post.specialty, "primary"), comorbid=None if comorbid == disease.icd10 else comorbid,
            injury=injury,
        )  # fmt: skip

    def service(self, specialty: str, kind: str) -> str:
        """The service that a visit to this doctor is."""
        return self.visit_services[specialty, kind]
