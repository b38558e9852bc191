"""Random work of laboratory, imaging, pregnancy care, home calls and signal cases over the region of the scenario."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import operational.domains.home_visits.models
import operational.domains.inpatient.models
import operational.domains.maternity.models
import operational.domains.monitoring.models
import operational.domains.orders.models  # noqa: F401  (each registers its tables)
from pipelines.lib.project import Project
from tests.dbt.bronze_fixture import Region, Store
from tests.dbt.conftest import Lake
from tests.dbt.test_incremental import START, Mutator

TESTS = ("HGB", "GLU")


def narrowed(lake: Lake, *names: str) -> Lake:
    """The empty lake with these models, the dimensions that checks read, and all that they are made of."""
    models = {model.name: model for model in lake.project.models}
    needed: set[str] = set()
    waiting = [*names, *(name for name in models if name.startswith("dim_"))]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += models[name].parents
    kept = tuple(model for model in lake.project.models if model.name in needed)
    return Lake(lake.connection, lake.runner, Project(kept))


class Care:
    """What the domains of care write, over the stores of the scenario. Rows are plain: no constraint is checked."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.store: Store = region.store
        self.wards: dict[int, dict[str, int]] = {}
        for code in TESTS:
            self.store.insert("lab_test", code=code, name_ru=code, search_key=code, active=True)
        for clinic in region.polyclinics:
            self.wards[clinic] = {"pathology": region.departments[clinic]}
            self.wards[clinic]["intensive_care"] = self.store.insert(
                "department", organisation_id=clinic, code="ICU", kind="intensive_care", name_kk="I", name_ru="I",
                valid_from=date(2010, 1, 1),
            )  # fmt: skip

    def doctor_of(self, clinic: int) -> int:
        """A practitioner of the clinic."""
        roles = self.store.tables["practitioner_role"].values()
        return next(int(row["practitioner_id"]) for row in roles if row["organisation_id"] == clinic)

    def order(self, clinic: int, patient: int, at: datetime, category: str = "laboratory") -> int:
        """An order of the clinic."""
        return self.store.insert(
            "diagnostic_order", owner_organisation_id=clinic, patient_id=patient, category=category,
            accession_number=f"A{self.store.keys['diagnostic_order']}", practitioner_id=self.doctor_of(clinic),
            department_id=self.region.departments[clinic], priority="routine", status="active", ordered_at=at,
            modality="CT" if category == "imaging" else None,
        )  # fmt: skip

    def report(self, clinic: int, patient: int, at: datetime, order: int | None, *values: float,
               source: str = "device") -> int:  # fmt: skip
        """A report with one value of each test."""
        owner = {"owner_organisation_id": clinic, "patient_id": patient}
        key = self.store.insert("diagnostic_report", **owner, order_id=order, category="laboratory", source=source,
                                status="final", issued_at=at)  # fmt: skip
        for code, value in zip(TESTS, values, strict=False):
            self.store.insert("lab_result", **owner, report_id=key, test_code=code, value_kind="numeric",
                              value_number=value, unit="g/L", status="final", observed_at=at,
                              interpretation="N" if value < 140 else "HH")  # fmt: skip
        return key

    def study(self, clinic: int, patient: int | None, at: datetime, order: int | None = None) -> int:
        """An imaging study; without a patient it waits in the inbox."""
        return self.store.insert(
            "imaging_study", owner_organisation_id=clinic, patient_id=patient, order_id=order, modality="CT",
            study_uid=f"1.2.{self.store.keys['imaging_study']}", started_at=at, received_at=at, status="available",
            series=1, instances=3, stated={}, matched_at=at if patient else None,
        )  # fmt: skip

    def pregnancy(self, clinic: int, patient: int, day: date, weeks: int = 8, risk_group: str = "low") -> int:
        """A pregnancy registered on the day, led by the clinic, with a plan of two examinations."""
        begun = day - timedelta(weeks=weeks)
        key = self.store.insert(
            "pregnancy", owner_organisation_id=clinic, patient_id=patient, registered_on=day, last_menstrual_date=begun,
            expected_delivery_date=begun + timedelta(days=280), gravida=1, para=0, created_at=self.store.now,
            risk_group=risk_group,
        )  # fmt: skip
        part = {"owner_organisation_id": clinic, "patient_id": patient, "pregnancy_id": key}
        self.store.insert("pregnancy_care", **part, practitioner_id=self.doctor_of(clinic), valid_from=day)
        for number in (1, 2):
            due = begun + timedelta(weeks=10 + 6 * number)
            self.store.insert("planned_pregnancy_visit", **part, visit_no=number, due_from=due,
                              due_to=due + timedelta(days=14))  # fmt: skip
        return key

    def take_over(self, pregnancy: int, clinic: int, day: date) -> None:
        """Another organisation leads the pregnancy from the day on."""
        for key, row in self.store.tables["pregnancy_care"].items():
            if row["pregnancy_id"] == pregnancy and row["valid_to"] is None:
                day = max(day, date.fromisoformat(row["valid_from"]))
                self.store.update("pregnancy_care", key, valid_to=day)
        self.store.insert(
            "pregnancy_care", owner_organisation_id=clinic, pregnancy_id=pregnancy, valid_from=day,
            patient_id=self.region.row("pregnancy", pregnancy)["patient_id"], practitioner_id=self.doctor_of(clinic),
        )  # fmt: skip

    def examination(self, pregnancy: int, at: datetime, number: int | None) -> int:
        """A visit of the pregnancy at the organisation that registered it."""
        row = self.region.row("pregnancy", pregnancy)
        term = (at.date() - date.fromisoformat(row["last_menstrual_date"])).days
        return self.store.insert(
            "pregnancy_visit", owner_organisation_id=row["owner_organisation_id"], patient_id=row["patient_id"],
            pregnancy_id=pregnancy, visit_no=number, visited_at=at, place="polyclinic", gestation_days=term,
            practitioner_id=self.doctor_of(row["owner_organisation_id"]), systolic=120, diastolic=80,
        )  # fmt: skip

    def birth(self, clinic: int, mother: int, at: datetime, pregnancy: int | None = None, order: int = 1,
              mode: str = "vaginal") -> int:  # fmt: skip
        """A newborn."""
        return self.store.insert(
            "birth", owner_organisation_id=clinic, patient_id=mother, pregnancy_id=pregnancy, born_at=at,
            delivery_date=at.date(), birth_order=order, plurality=2, place="hospital", vital_status="live", sex="F",
            delivery_mode=mode, gestation_weeks=39, weight_g=3300, created_at=self.store.now,
            department_id=self.region.departments[clinic],
        )  # fmt: skip

    def call(self, clinic: int, patient: int, at: datetime, kind: str = "call", status: str = "registered") -> int:
        """A call to the patient's home."""
        done = status in ("done", "not_found")
        return self.store.insert(
            "home_call", owner_organisation_id=clinic, patient_id=patient, kind=kind, source="patient",
            urgency="routine", called_at=at, due_at=at + timedelta(hours=4), status=status, complaint="c", site_id=None,
            performed_at=at + timedelta(hours=3) if done else None, created_at=self.store.now,
        )  # fmt: skip

    def case(self, clinic: int, patient: int, at: datetime, rule: str = "SIG-01", subject: str = "hospital_stay",
             subject_id: int = 0) -> int:  # fmt: skip
        """An open signal case of the clinic."""
        return self.store.insert(
            "signal_case", owner_organisation_id=clinic, patient_id=patient, rule_code=rule, rule_version=1,
            subject=subject, subject_id=subject_id or self.store.keys["signal_case"] + 1, severity="attention",
            audience="site", reason_code="discharged", facts={}, advice_codes=["visit"], origin_organisation_id=clinic,
            icd10_code="I11.9", event_at=at, opened_at=at, due_at=at + timedelta(days=3), state="opened",
            site_id=self.region.sites[clinic][0], practitioner_id=self.doctor_of(clinic),
        )  # fmt: skip

    def stay(self, clinic: int, patient: int, at: datetime, code: str = "I11.9") -> int:
        """A stay with an admission diagnosis and a first ward."""
        owner = {"owner_organisation_id": clinic, "patient_id": patient}
        key = self.store.insert(
            "hospital_stay", **owner, case_number=f"C{self.store.keys['hospital_stay']}", admission_type="emergency",
            hospital_kind="round_the_clock", arrival_channel="self", financing_source="osms",
            practitioner_id=self.doctor_of(clinic), admitted_at=at, version=1, created_at=self.store.now,
        )  # fmt: skip
        self.store.insert("stay_diagnosis", **owner, stay_id=key, phase="admission", rank="main", icd10_code=code,
                          established_at=at)  # fmt: skip
        self.store.insert("ward_movement", **owner, stay_id=key, department_id=self.wards[clinic]["pathology"],
                          bed_profile="pregnancy_pathology", started_at=at)  # fmt: skip
        return key

    def sign(self, stay: int, at: datetime, systolic: int, chills: bool = False) -> int:
        """A round of measurements."""
        row = self.region.row("hospital_stay", stay)
        return self.store.insert(
            "vital_sign", owner_organisation_id=row["owner_organisation_id"], patient_id=row["patient_id"],
            stay_id=stay, measured_at=at, systolic=systolic, diastolic=80, chills_flag=chills,
        )  # fmt: skip

    def transfusion(self, stay: int, at: datetime) -> int:
        """A transfusion."""
        row = self.region.row("hospital_stay", stay)
        return self.store.insert(
            "transfusion", owner_organisation_id=row["owner_organisation_id"], patient_id=row["patient_id"],
            stay_id=stay, component="plasma", volume_ml=200, blood_group="A", rhesus="+", unit_number="1",
            indication="i", started_at=at, reaction_flag=False, practitioner_id=row["practitioner_id"],
        )  # fmt: skip


class CareMutator(Mutator):
    """Random work of care beside the visits, corrections, moves, merges and separations of the scenario."""

    def __init__(self, region: Region, rng: random.Random) -> None:
        super().__init__(region, rng)
        self.care = Care(region)

    def _clinic(self) -> int:
        return self.rng.choice(self.region.polyclinics)

    def results(self) -> None:
        """A report with or without its order, a study with or without its person."""
        clinic, patient, at = self._clinic(), self._patient(), self._moment()
        order = self.care.order(clinic, patient, at, "imaging") if self.rng.random() < 0.5 else None
        self.care.study(clinic, patient if order or self.rng.random() < 0.5 else None, at + timedelta(hours=3), order)
        order = self.care.order(clinic, patient, at) if self.rng.random() < 0.7 else None
        self.care.report(clinic, patient, at + timedelta(hours=self.rng.randrange(9)), order,
                         *(self.rng.randrange(60, 180) for _ in TESTS[: self.rng.randrange(3)]),
                         source=self.rng.choice(("manual", "device")))  # fmt: skip

    def corrected_results(self) -> None:
        """A value is corrected or voided, a report voided, an order moved in time, a study matched or taken back."""
        clinic, tables = self._clinic(), self.store.tables
        what = self.rng.randrange(5)
        void = self.rng.choice((None, self.store.now))
        if what == 0 and tables["lab_result"]:
            self.store.update("lab_result", self._any("lab_result"), value_number=self.rng.randrange(60, 180),
                              status="corrected", interpretation=self.rng.choice(("N", "L", "HH", None)))  # fmt: skip
        elif what == 1 and tables["lab_result"]:
            self.store.update("lab_result", self._any("lab_result"), voided_at=void, observed_at=self._moment())
        elif what == 2 and tables["diagnostic_report"]:
            self.store.update("diagnostic_report", self._any("diagnostic_report"), voided_at=void)
        elif what == 3 and tables["diagnostic_order"]:
            self.store.update("diagnostic_order", self._any("diagnostic_order"), ordered_at=self._moment(),
                              practitioner_id=self.care.doctor_of(clinic), priority="stat")  # fmt: skip
        elif tables["imaging_study"]:
            patient = self.rng.choice((None, self._patient()))
            self.store.update("imaging_study", self._any("imaging_study"), patient_id=patient, order_id=None,
                              voided_at=void, instances=self.rng.randrange(9))  # fmt: skip

    def pregnancies(self) -> None:
        """A pregnancy is registered, examined, taken over, given another risk, ended, opened again, voided."""
        tables, day = self.store.tables, self._moment()
        what = self.rng.randrange(7)
        if what <= 1 or not tables["pregnancy"]:
            self.care.pregnancy(self._clinic(), self._patient(), day.date(), self.rng.randrange(5, 30))
            return
        pregnancy = self._any("pregnancy")
        if what == 2:
            self.care.examination(pregnancy, day, self.rng.choice((None, 1, 2)))
        elif what == 3:
            self.care.take_over(pregnancy, self._clinic(), day.date())
        elif what == 4:
            self.store.update("pregnancy", pregnancy, risk_group="high", para=self.rng.randrange(6))
        elif what == 5:
            ended = self.rng.choice((None, day.date()))
            self.store.update("pregnancy", pregnancy, ended_on=ended, outcome="birth" if ended else None)
        else:
            table = self.rng.choice(("pregnancy", "pregnancy_visit", "planned_pregnancy_visit"))
            if tables[table]:
                void = self.rng.choice((None, self.store.now))
                self.store.update(table, self._any(table), voided_at=void)

    def births(self) -> None:
        """A newborn, a twin of a known one, or one that is voided or corrected."""
        tables, moment = self.store.tables, self._moment()
        if tables["birth"] and self.rng.random() < 0.6:
            known = self._any("birth")
            row = self.region.row("birth", known)
            if self.rng.random() < 0.5:
                self.care.birth(self._clinic(), row["patient_id"], datetime.fromisoformat(row["born_at"]), order=2)
            else:
                self.store.update("birth", known, voided_at=self.rng.choice((None, self.store.now)),
                                  delivery_mode="caesarean_planned", delivery_date=moment.date())  # fmt: skip
            return
        mother = self._patient()
        own = [key for key, row in tables["pregnancy"].items() if row["patient_id"] == mother]
        self.care.birth(self._clinic(), mother, moment, own[0] if own else None)

    def calls(self) -> None:
        """A home call or an active of any status, or a change of one."""
        statuses = ("registered", "assigned", "done", "not_found", "cancelled")
        if self.store.tables["home_call"] and self.rng.random() < 0.4:
            call = self._any("home_call")
            called = datetime.fromisoformat(self.region.row("home_call", call)["called_at"])
            self.store.update("home_call", call, status=self.rng.choice(statuses),
                              performed_at=self.rng.choice((None, called + timedelta(hours=5))),
                              voided_at=self.rng.choice((None, None, self.store.now)))  # fmt: skip
            return
        self.care.call(self._clinic(), self._patient(), self._moment(), self.rng.choice(("call", "active")),
                       self.rng.choice(statuses))  # fmt: skip

    def cases(self) -> None:
        """A case is opened, moves through its states, is closed, opened again, voided."""
        if not self.store.tables["signal_case"] or self.rng.random() < 0.4:
            self.care.case(self._clinic(), self._patient(), self._moment(), self.rng.choice(("SIG-01", "SIG-06")),
                           self.rng.choice(("hospital_stay", "death")))  # fmt: skip
            return
        case = self._any("signal_case")
        state = self.rng.choice(("seen", "contacted", "visited", "closed", "opened"))
        now = self.store.now
        self.store.update(
            "signal_case", case, state=state, closed_at=now if state == "closed" else None,
            outcome="visited" if state == "closed" else None, contacted_at=now if state == "contacted" else None,
            voided_at=self.rng.choice((None, None, now)), practitioner_id=self.rng.choice((None, 1)),
        )  # fmt: skip

    def stays(self) -> None:
        """A woman is admitted, moved to intensive care, measured, transfused, discharged; or a part is voided."""
        tables, moment = self.store.tables, self._moment()
        if not tables["hospital_stay"] or self.rng.random() < 0.3:
            with_pregnancy = [row["patient_id"] for row in tables["pregnancy"].values()] or [self._patient()]
            self.care.stay(self._clinic(), self.rng.choice(with_pregnancy), moment, self.rng.choice(("I11.9", "O14.1")))
            return
        stay = self._any("hospital_stay")
        row = self.region.row("hospital_stay", stay)
        owner = {
            "owner_organisation_id": row["owner_organisation_id"],
            "patient_id": row["patient_id"],
            "stay_id": stay,
        }
        at = datetime.fromisoformat(row["admitted_at"])
        what = self.rng.randrange(6)
        if what == 0:
            self.store.insert("ward_movement", **owner, bed_profile="intensive_care",
                              started_at=at + timedelta(hours=2),
                              department_id=self.care.wards[row["owner_organisation_id"]]["intensive_care"],
                              ended_at=self.rng.choice((None, at + timedelta(hours=9))))  # fmt: skip
        elif what == 1:
            self.care.sign(stay, at + timedelta(hours=1), self.rng.randrange(100, 190), self.rng.random() < 0.3)
        elif what == 2:
            self.care.transfusion(stay, at)
        elif what == 3:
            left = self.rng.choice((None, at + timedelta(days=5)))
            self.store.update("hospital_stay", stay, discharged_at=left, outcome="discharged" if left else None)
        elif what == 4:
            self.store.insert("stay_diagnosis", **owner, phase="final", rank="main", icd10_code="I11.9",
                              established_at=at)  # fmt: skip
        else:
            table = self.rng.choice(("hospital_stay", "vital_sign", "transfusion", "ward_movement", "stay_diagnosis"))
            if tables[table]:
                self.store.update(table, self._any(table), voided_at=self.rng.choice((None, self.store.now)))

    def batch(self, changes: int) -> None:
        """One batch of random changes, in several transactions."""
        work = (
            self.results, self.corrected_results, self.pregnancies, self.pregnancies, self.pregnancies, self.births,
            self.calls, self.cases, self.stays, self.stays, self.person, self.person, self.staff, self.visit,
        )  # fmt: skip
        for _ in range(changes):
            self.store.now += timedelta(hours=7)
            self.store.begin()
            self.rng.choice(work)()


__all__ = ["START", "Care", "CareMutator", "narrowed"]
