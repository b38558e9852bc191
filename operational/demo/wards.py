"""Presentations and stays as they stand in the record: diagnoses by phase, beds, operations, transfusions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from operational.demo.attaching import Register
from operational.demo.hospital import Coming
from operational.demo.people import rows
from operational.demo.region import Region, Worker
from operational.demo.schema import Store
from operational.demo.timing import Timing, weighted
from operational.demo.vitals import Vitals

INTENSIVE: Final = {"hospital": "08", "regional": "08", "perinatal": "04"}
ADMISSION: Final = {"hospital": "02", "regional": "04", "perinatal": "01"}
# What is written at the door before the disease is clear, by chapter.
AT_THE_DOOR: Final = {"I": "R07.4", "K": "R10.4", "J": "R50.9", "G": "R51", "N": "R10.4", "A": "R50.9"}
COMPLICATIONS: Final = {"I": "I50.0", "J": "J96.0", "K": "K65.0", "E": "N18.9"}
VOIDED: Final = 0.003
BLOOD: Final = (("A", 28.0), ("O", 33.0), ("B", 29.0), ("AB", 10.0))


@dataclass(slots=True)
class Part:
    """A part of a stay in one department, before it has a bed."""

    stay: int
    coming: Coming
    department: str
    profile: str
    since: datetime
    until: datetime | None


class WardWriter:
    """Writes what the planner decided; ``stays`` gives the key of each stay."""

    def __init__(self, rng: Random, store: Store, register: Register, region: Region, timing: Timing) -> None:
        self.rng = rng
        self.store = store
        self.register = register
        self.region = region
        self.timing = timing
        self.vitals = Vitals(rng, store, timing)
        self.texts = {row["profile"]: row for row in rows("hospital_texts.csv")}
        self.departments = {(plan.organisation, plan.profile): plan.department for plan in region.beds}
        self.stays: list[tuple[int, Coming]] = []
        self.parts: list[Part] = []
        self.cases = 0

    def run(self, comings: list[Coming]) -> None:
        """All of them in the order of time, so that numbers and beds follow it."""
        for coming in sorted(comings, key=lambda c: (c.arrived, c.person)):
            self._write(coming)
        self._beds()

    # --- people ----------------------------------------------------------------------------------------------

    def doctor(self, organisation: str, department: str) -> Worker:
        """A doctor of the department; of the admission department where it has none."""
        team = [w for w in self.region.teams.get((organisation, department), []) if w.position.endswith("_doctor")]
        return self.rng.choice(team or self.region.teams[organisation, ADMISSION[organisation]])

    def nurse(self, organisation: str, department: str) -> Worker:
        """A nurse of the department, or whoever works there."""
        team = self.region.teams.get((organisation, department), [])
        return self.rng.choice([w for w in team if w.position.endswith("nurse")] or team)

    # --- the door --------------------------------------------------------------------------------------------

    def _write(self, coming: Coming) -> None:
        organisation = self.region.organisations[coming.organisation]
        doctor = self.doctor(coming.organisation, ADMISSION[coming.organisation])
        severe = coming.icu or coming.outcome == "died"
        zone = "red" if severe else weighted(self.rng, (("yellow", 40.0), ("green", 60.0)))
        if not coming.emergency:
            zone = "green"
        waits = {"red": (1, 5), "yellow": (4, 28), "green": (8, 55)}[zone]
        seen: datetime | None = coming.arrived + timedelta(minutes=self.rng.randint(*waits))
        if coming.decided is not None and seen is not None:
            seen = min(seen, coming.decided)
        elif seen is not None and seen > self.timing.now:
            seen = None
        signs = self.vitals.signs(coming, severe)
        language = "kk" if doctor.kazakh else "ru"
        text = self.texts.get(coming.illness.profile, self.texts["therapeutic"])
        referring = coming.referring or ("polyclinic" if coming.channel == "polyclinic_referral" else None)
        key = self.store.hospital_presentation.add(
            organisation, coming.person + 1,
            self.region.departments[coming.organisation, ADMISSION[coming.organisation]],
            "emergency" if coming.emergency else "planned", coming.arrived, coming.channel,
            self.region.organisations[referring] if referring else None, zone, text[f"complaint_{language}"],
            signs.pulse, signs.systolic, signs.diastolic, signs.spo2, signs.temperature, signs.respiratory_rate, seen,
            doctor.practitioner if seen else None, coming.illness.icd10 if seen else None, coming.decision,
            coming.decided, coming.refusal, self.region.organisations[coming.target] if coming.target else None,
            coming.arrived, None, None,
        )  # fmt: skip
        if coming.admitted:
            self._stay(coming, key, organisation)

    # --- the stay --------------------------------------------------------------------------------------------

    def _stay(self, coming: Coming, presentation: int, organisation: int) -> None:
        profile = coming.illness.profile
        department = self.departments[coming.organisation, profile]
        doctor = self.doctor(coming.organisation, department)
        day_care = profile.startswith("day_")
        void = self.rng.random() < VOIDED and coming.outcome == "discharged" and not coming.tags
        if void:
            self._entered_by_mistake(coming, presentation, organisation, doctor)
            return
        language = "kk" if doctor.kazakh else "ru"
        text = self.texts.get(profile, self.texts["therapeutic"])
        left = coming.discharged
        signed = None
        if left is not None:
            ready = left + timedelta(minutes=self.rng.randint(20, 190))
            signed = ready if ready <= self.timing.now else None
        self.cases += 1
        died = coming.outcome == "died"
        target = self.region.organisations[coming.target] if coming.outcome == "transferred" and coming.target else None
        key = self.store.hospital_stay.add(
            organisation, coming.person + 1, presentation, f"{coming.begins:%y}-{self.cases:06d}",
            "emergency" if coming.emergency else "planned", "day" if day_care else "round_the_clock", coming.channel,
            self.region.organisations[coming.referring] if coming.referring else None,
            "gobmp" if coming.emergency or profile in ("obstetric", "infectious") else "osms", doctor.practitioner,
            "extremely_severe" if died else "severe" if coming.icu else self.rng.choice(("moderate", "satisfactory")),
            coming.begins, left, coming.outcome, self._result(coming), target,
            None if left is None or died else text[f"epicrisis_{language}"],
            None if left is None or died else text[f"advice_{language}"],
            signed, doctor.user if signed else None, coming.begins, None, None,
        )  # fmt: skip
        self.stays.append((key, coming))
        self._diagnoses(key, coming, organisation)
        parts = self._parts(key, coming, department)
        self.parts += parts
        self._operation(key, coming, organisation, department)
        self._transfusion(key, coming, organisation, department)
        self.vitals.sheet(key, coming, organisation, self.nurse(coming.organisation, department).practitioner)

    def _entered_by_mistake(self, coming: Coming, presentation: int, organisation: int, doctor: Worker) -> None:
        self.cases += 1
        voided = coming.begins + timedelta(minutes=self.rng.randint(10, 200))
        self.store.hospital_stay.add(
            organisation, coming.person + 1, presentation, f"{coming.begins:%y}-{self.cases:06d}", "emergency",
            "round_the_clock", coming.channel, None, "gobmp", doctor.practitioner, None, coming.begins, None, None,
            None, None, None, None, None, None, coming.begins, voided, "wrong_patient",
        )  # fmt: skip
        self.store.hospital_presentation.change(presentation, voided_at=voided, void_reason="wrong_patient")

    def _result(self, coming: Coming) -> str | None:
        if coming.discharged is None:
            return None
        if coming.outcome == "died":
            return "death"
        if coming.outcome in ("transferred", "left"):
            return "no_change"
        if coming.illness.profile == "obstetric":
            return "recovery"
        return weighted(self.rng, (("recovery", 30.0), ("improvement", 64.0), ("no_change", 5.0), ("worsening", 1.0)))

    def _diagnoses(self, stay: int, coming: Coming, organisation: int) -> None:
        code = coming.illness.icd10
        first = AT_THE_DOOR.get(code[0], code) if self.rng.random() < 0.1 else code
        clinical = coming.begins + timedelta(hours=self.rng.randint(14, 60))
        person = coming.person + 1

        def add(phase: str, rank: str, icd10: str, at: datetime) -> None:
            self.store.stay_diagnosis.add(organisation, stay, person, phase, rank, icd10, at, None, None)

        add("admission", "main", first, coming.begins)
        end = coming.discharged
        if clinical < (end or self.timing.now):
            add("clinical", "main", code, clinical)
        if end is None:
            return
        add("final", "main", code, end)
        others = [icd10 for icd10, since in self.register.people[coming.person].chronic
                  if icd10 != code and since <= self.timing.day(end)]  # fmt: skip
        if others and self.rng.random() < 0.6:
            add("final", "comorbid", self.rng.choice(others), end)
        complication = str(coming.facts.get("complication") or COMPLICATIONS.get(code[0], ""))
        if complication not in ("", code, *others) and (coming.outcome == "died" or self.rng.random() < 0.08):
            add("final", "complication", complication, end)

    # --- departments and beds --------------------------------------------------------------------------------

    def _parts(self, stay: int, coming: Coming, department: str) -> list[Part]:
        profile, since, end = coming.illness.profile, coming.begins, coming.discharged
        intensive = INTENSIVE[coming.organisation]
        if not coming.icu or profile.startswith("day_"):
            return [Part(stay, coming, department, profile, since, end)]
        hours = self.rng.randint(16, 80)
        turns = [since + timedelta(hours=hours)]
        order = [(intensive, "intensive_care"), (department, profile)]
        if coming.operated or profile == "obstetric":
            begin = since + timedelta(hours=self.rng.randint(3, 30))
            turns = [begin, begin + timedelta(hours=hours)]
            order = [(department, profile), (intensive, "intensive_care"), (department, profile)]
        elif coming.outcome == "died":
            order, turns = [(department, profile), (intensive, "intensive_care")], [since + timedelta(hours=8)]
        limit = end or self.timing.now
        turns = [turn for turn in turns if turn < limit - timedelta(minutes=30)]
        if coming.outcome == "died" and not turns:
            order = [(intensive, "intensive_care")]
        starts = [since, *turns]
        ends: list[datetime | None] = [*turns, end]
        return [
            Part(stay, coming, *place, begin, until) for place, begin, until in zip(order, starts, ends, strict=False)
        ]

    def _beds(self) -> None:
        """Beds in the order of time: the lowest free one; none where all are taken."""
        plans = {(plan.organisation, plan.department, plan.profile): plan for plan in self.region.beds}
        first: dict[tuple[str, str, str], int] = {}
        numbered: dict[tuple[str, str], int] = {}
        for key, plan in plans.items():
            first[key] = numbered.get(key[:2], 0)
            numbered[key[:2]] = first[key] + max(beds for _, beds in plan.counts)
        until: dict[tuple[str, str, int], datetime] = {}
        for part in sorted(self.parts, key=lambda p: (p.since, p.stay)):
            key = part.coming.organisation, part.department, part.profile
            bed = None
            for number in range(plans[key].on(self.timing.day(part.since))):
                place = (*key[:2], first[key] + number)
                if until.get(place, datetime.min) <= part.since:
                    until[place] = part.until or datetime.max
                    bed = first[key] + number + 1
                    break
            self.store.ward_movement.add(
                self.region.organisations[key[0]], part.stay, part.coming.person + 1, self.region.departments[key[:2]],
                part.profile, None if bed is None else str((bed + 3) // 4), None if bed is None else str(bed),
                part.since, part.until,
            )  # fmt: skip

    # --- operations and transfusions -------------------------------------------------------------------------

    def _operation(self, stay: int, coming: Coming, organisation: int, department: str) -> None:
        if not coming.operated or not coming.illness.operation:
            return
        wait = self.rng.uniform(1, 7) if coming.emergency else self.rng.uniform(16, 40)
        starts = coming.begins + timedelta(minutes=round(wait * 60))
        born = coming.facts.get("born")
        if isinstance(born, datetime):
            starts = born - timedelta(minutes=14)
        ends = starts + timedelta(minutes=self.rng.randint(25, 150))
        if ends >= (coming.discharged or self.timing.now) or starts < coming.begins:
            return
        surgeon = self.doctor(coming.organisation, department)
        complication = "Жараның іріңдеуі / Нагноение раны" if self.rng.random() < 0.02 else None
        self.store.stay_operation.add(
            organisation, stay, coming.person + 1, coming.illness.operation, starts, ends, surgeon.practitioner,
            "emergency" if coming.emergency else "planned",
            weighted(self.rng, (("general", 55.0), ("regional", 30.0), ("local", 10.0), ("combined", 5.0))),
            complication, None,
        )  # fmt: skip
        coming.facts["operated"] = starts

    def _transfusion(self, stay: int, coming: Coming, organisation: int, department: str) -> None:
        if not coming.transfused:
            return
        group, rhesus = weighted(self.rng, BLOOD), "-" if self.rng.random() < 0.06 else "+"
        doctor = self.doctor(coming.organisation, department)
        born = coming.facts.get("born")
        starts = (born if isinstance(born, datetime) else coming.begins) + timedelta(hours=self.rng.uniform(1, 6))
        starts = starts.replace(second=0, microsecond=0)
        for _ in range(self.rng.choice((1, 1, 2, 2, 3))):
            ends = starts + timedelta(minutes=self.rng.randint(50, 130))
            if ends >= (coming.discharged or self.timing.now):
                return
            reaction = self.rng.random() < 0.012
            component = weighted(self.rng, (("red_cells", 70.0), ("plasma", 26.0), ("platelets", 4.0)))
            self.store.transfusion.add(
                organisation, stay, coming.person + 1, component,
                self.rng.choice((250, 280, 300, 320)), group, rhesus,
                f"{self.timing.day(starts):%y%m%d}-{len(self.store.transfusion) + 1:05d}",
                "Қан жоғалту, анемия / Кровопотеря, анемия", starts, ends, reaction,
                "Қалтырау / Озноб" if reaction else None, doctor.practitioner,
            )  # fmt: skip
            coming.facts.setdefault("transfused", starts)
            starts = ends + timedelta(minutes=self.rng.randint(20, 200))
