"""Visits as they stand in the record: encounter, diagnoses, services, referrals; a few in error and corrected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from operational.demo.attaching import Register
from operational.demo.morbidity import Morbidity, Texts
from operational.demo.people import age_on
from operational.demo.region import Post
from operational.demo.schema import Store
from operational.domains.catalogs import files

NO_TEXTS: Final = Texts({}, {}, {})
SIGNED: Final = 0.97
# Nobody leaves a visit unsigned for long.
UNSIGNED_FOR: Final = timedelta(days=3)
VOIDED: Final = 0.004
CORRECTED: Final = 0.004
REFERRED_TO: Final[dict[str, str]] = {
    "circulatory": "cardiology", "endocrine": "endocrinology", "nervous": "neurology", "ent_eye": "ophthalmology",
    "surgical": "surgery", "injury": "surgery", "women": "obstetrics", "musculoskeletal": "neurology",
    "neoplasm": "oncology", "respiratory": "otolaryngology", "urinary": "surgery", "digestive": "surgery",
}  # fmt: skip
REGIONAL: Final = ("cardiology", "neurology", "oncology", "endocrinology")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a visit will be: decided before it is booked, written when it has taken place."""

    person: int
    icd10: str
    group: str
    reason: str
    kind: str
    character: str
    first: bool
    service: str
    place: str = "polyclinic"
    comorbid: str | None = None
    injury: str | None = None


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral that waits for its appointment."""

    request: int
    person: int
    icd10: str
    group: str
    day: date
    valid_until: date


class Tariffs:
    """Tariffs in tenge by service and day."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[date, date | None, str]]] = {}
        for code, amount, since, until in files.tariff_rows():
            self._rows.setdefault(code, []).append((since, until, amount))
        self._cache: dict[tuple[str, int], str | None] = {}

    def on(self, code: str, day: date) -> str | None:
        """The tariff of a service; tariffs change with the year."""
        key = (code, day.year)
        if key not in self._cache:
            self._cache[key] = next(
                (a for since, until, a in self._rows.get(code, []) if since <= day and (not until or day < until)), None
            )
        return self._cache[key]


class EncounterWriter:
    """Writes visits into the tables; ``referrals`` holds what waits, by specialty and whether regional."""

    def __init__(
        self, rng: Random, store: Store, register: Register, morbidity: Morbidity, regional: int, today: date
    ) -> None:
        self.rng = rng
        self.store = store
        self.register = register
        self.morbidity = morbidity
        self.regional = regional
        self.today = today
        self.tariffs = Tariffs()
        self.referrals: dict[tuple[str, bool], list[Referral]] = {}
        self.numbers = 0

    def patient_of(self, person: int, day: date) -> int:
        """The record that the desk used: sometimes the double one, as long as it was not merged."""
        alias = self.register.aliases.get(person)
        if alias and day < alias[1] and self.store.patient.value(alias[0], "created_at").date() < day:
            return alias[0] if self.rng.random() < 0.4 else person + 1
        return person + 1

    def financing(self, person: int, post: Post, day: date) -> str:
        """Who pays: primary care is guaranteed, specialists are insured or paid."""
        if post.ambulant or post.specialty in ("oncology", "obstetrics"):
            return "gobmp"
        status = self.register.insurance[person]
        if post.specialty == "dentistry" and age_on(self.register.people[person].birth, day) >= 18:
            return "paid" if self.rng.random() < 0.55 else "osms"
        if status in ("insured", "exempt"):
            return "osms" if self.rng.random() < 0.96 else "paid"
        return "paid" if self.rng.random() < 0.5 else "gobmp"

    def write(
        self, plan: Plan, post: Post, patient: int, appointment: int | None, started: datetime, day: date,
        financing: str, minutes: int,
    ) -> None:  # fmt: skip
        """A finished visit with all that belongs to it."""
        ended = started + timedelta(minutes=minutes)
        chance = self.rng.random()
        if chance < VOIDED:
            wrong = replace(plan, icd10="Z00.0", character="na", first=False, comorbid=None, injury=None)
            if plan.icd10 != "Z00.0":
                self._visit(wrong, post, patient, appointment, started, ended, day, financing, "wrong_diagnosis")
        key = self._visit(plan, post, patient, appointment, started, ended, day, financing, None)
        if VOIDED <= chance < VOIDED + CORRECTED and plan.icd10 != "R68.8":
            self._condition(key, post, patient, "R68.8", "main", "na", False, None, ended,
                            (ended + timedelta(minutes=9), "wrong_diagnosis"))  # fmt: skip

    def _visit(
        self, plan: Plan, post: Post, patient: int, appointment: int | None, started: datetime, ended: datetime,
        day: date, financing: str, void_reason: str | None,
    ) -> int:  # fmt: skip
        forgotten = self.rng.random() >= SIGNED and self.today - day < UNSIGNED_FOR
        signed = None if forgotten else ended + timedelta(minutes=self.rng.randint(1, 12))
        voided = ended + timedelta(minutes=self.rng.randint(3, 90)) if void_reason else None
        language = "kk" if post.kazakh else "ru"
        texts = self.morbidity.texts.get(plan.group, NO_TEXTS)
        key = self.store.encounter.add(
            post.organisation, patient, appointment, post.practitioner, post.role, post.department, plan.place,
            plan.reason, plan.kind, financing, self.register.insurance[plan.person],
            "entered_in_error" if void_reason else "finished", self._outcome(plan), started, ended,
            texts.complaints.get(language), texts.objective.get(language), texts.plan.get(language), signed,
            post.user if signed else None, started, voided, void_reason,
        )  # fmt: skip
        void = (voided, void_reason) if voided and void_reason else None
        self._condition(key, post, patient, plan.icd10, "main", plan.character, plan.first, plan.injury, ended, void)
        if plan.comorbid:
            self._condition(key, post, patient, plan.comorbid, "comorbid", "chronic_known", False, None, ended, void)
        self._services(key, plan, post, patient, day, ended, financing, void)
        if void is None:
            self._refer(key, plan, post, patient, day, ended)
        return key

    def _outcome(self, plan: Plan) -> str:
        if plan.group == "preventive":
            return "healthy"
        if plan.character in ("chronic_first", "chronic_known"):
            return self.rng.choices(("treatment_continues", "improvement", "no_change", "dispensary"), (5, 3, 2, 1))[0]
        if plan.kind == "repeat":
            return self.rng.choices(("recovery", "improvement", "treatment_continues"), (7, 2, 1))[0]
        outcomes = ("treatment_continues", "improvement", "recovery", "referred_consultation", "hospitalised")
        return self.rng.choices(outcomes, (60, 20, 10, 7, 1))[0]

    def _condition(
        self, encounter: int, post: Post, patient: int, icd10: str, rank: str, character: str, first: bool,
        injury: str | None, at: datetime, void: tuple[datetime, str] | None,
    ) -> None:  # fmt: skip
        verification = "preliminary" if rank == "main" and self.rng.random() < 0.03 else "final"
        self.store.condition.add(
            post.organisation, encounter, patient, icd10, rank, verification, character, first, injury, at,
            *(void or (None, None)),
        )  # fmt: skip

    def _services(
        self, encounter: int, plan: Plan, post: Post, patient: int, day: date, at: datetime, financing: str,
        void: tuple[datetime, str] | None,
    ) -> None:  # fmt: skip
        chosen = [plan.service]
        for code, probability in self.morbidity.services.get(plan.group, []):
            if plan.place == "polyclinic" and code != plan.service and self.rng.random() < probability:
                chosen.append(code)
        for code in chosen:
            self.store.procedure.add(
                post.organisation, encounter, patient, code, 1, self.tariffs.on(code, day), post.practitioner,
                financing, at, *(void or (None, None)),
            )  # fmt: skip

    # --- referrals -------------------------------------------------------------------------------------------

    def _refer(self, encounter: int, plan: Plan, post: Post, patient: int, day: date, at: datetime) -> None:
        chance = self.rng.random()
        specialty = REFERRED_TO.get(plan.group)
        if post.ambulant and specialty and chance < 0.10 and plan.kind == "primary":
            self._consultation(encounter, plan, post, patient, day, at, specialty, specialty == "oncology")
        elif post.ambulant and chance > 0.995 and age_on(self.register.people[plan.person].birth, day) > 40:
            self._consultation(encounter, plan, post, patient, day, at, "oncology", True)
        elif not post.ambulant and post.specialty in REGIONAL and post.organisation != self.regional and chance < 0.08:
            self._consultation(encounter, plan, post, patient, day, at, post.specialty, True)
        elif 0.10 <= chance < 0.125 and plan.group != "preventive":
            self._examination(encounter, plan, post, patient, day, at)

    def _number(self, day: date) -> str:
        self.numbers += 1
        return f"{day:%y}-{self.numbers:08d}"

    def _consultation(
        self, encounter: int, plan: Plan, post: Post, patient: int, day: date, at: datetime, specialty: str,
        regional: bool,
    ) -> None:  # fmt: skip
        until = day + timedelta(days=60 if regional else 30)
        revoked = at + timedelta(days=2) if self.rng.random() < 0.02 else None
        key = self.store.service_request.add(
            post.organisation, encounter, patient, self._number(day), "consultation", None,
            self.regional if regional else post.organisation, specialty, plan.icd10,
            "Диагнозды нақтылау / Уточнение диагноза", "urgent" if self.rng.random() < 0.05 else "routine",
            "revoked" if revoked else "active", at, until, revoked,
            "Қателесіп берілген / Выдано ошибочно" if revoked else None,
        )  # fmt: skip
        if not revoked:
            waiting = self.referrals.setdefault((specialty, regional), [])
            waiting.append(Referral(key, plan.person, plan.icd10, plan.group, day, until))

    def _examination(self, encounter: int, plan: Plan, post: Post, patient: int, day: date, at: datetime) -> None:
        service, kind = self.rng.choice(
            (("LAB-002", "laboratory"), ("LAB-011", "laboratory"), ("IMG-013", "imaging"), ("IMG-027", "imaging"),
             ("FUN-001", "functional"), ("FUN-010", "functional"))
        )  # fmt: skip
        self.store.service_request.add(
            post.organisation, encounter, patient, self._number(day), kind, service, post.organisation, None,
            plan.icd10, "Тексеру / Обследование", "routine",
            "completed" if self.rng.random() < 0.7 else "active", at, day + timedelta(days=30), None, None,
        )  # fmt: skip

    def next_referral(self, specialty: str, regional: bool, day: date) -> Referral | None:
        """The referral that has waited longest and is still valid; None when nobody waits."""
        waiting = self.referrals.get((specialty, regional), [])
        while waiting and waiting[0].valid_until < day:
            waiting.pop(0)
        if waiting and waiting[0].day < day:
            return waiting.pop(0)
        return None
