"""Two hospitals over the small region, and random work in them: arrivals, stays, movements, corrections, deaths."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import operational.domains.inpatient.models  # noqa: F401  (registers its tables)
from tests.dbt.bronze_fixture import SINCE, Region, Row

HOSPITAL_CODES = ("I10", "I11.9", "J06.9", "S61.0")
START = datetime(2023, 1, 2, 3, tzinfo=UTC)
MODELS = ("fct_hospital_presentation", "fct_hospital_stay", "fct_ward_movement", "fct_operation", "fct_transfusion",
          "fct_death", "agg_admission_cell", "agg_discharge_cell", "agg_presentation_cell")  # fmt: skip
PARTS = ("stay_diagnosis", "ward_movement", "stay_operation", "transfusion")
CHANNELS = ("ambulance", "self", "polyclinic_referral")


@dataclass
class Hospitals:
    """A hospital in each district with an admission department, a ward and intensive care, and their beds."""

    region: Region
    organisations: list[int] = field(default_factory=list)
    wards: dict[int, dict[str, int]] = field(default_factory=dict)
    doctors: dict[int, int] = field(default_factory=dict)
    last: dict[int, datetime] = field(default_factory=dict)

    def row(self, table: str, key: int) -> Row:
        """The row as it stands."""
        return self.region.store.tables[table][key]

    def arrival(self, hospital: int, patient: int, at: datetime, decision: str = "admitted", minutes: int = 40,
                zone: str = "yellow", channel: str = "ambulance") -> int:  # fmt: skip
        """A presentation to the admission department."""
        decided = None if decision == "waiting" else at + timedelta(minutes=minutes)
        return self.region.store.insert(
            "hospital_presentation", owner_organisation_id=hospital, patient_id=patient,
            department_id=self.wards[hospital]["admission"], admission_type="emergency", arrived_at=at,
            arrival_channel=channel, triage_zone=zone,
            seen_at=at + timedelta(minutes=minutes // 2) if decided else None,
            practitioner_id=self.doctors[hospital], icd10_code="I10", decision=decision, decided_at=decided,
            refusal_reason="no_indication" if decision == "refused" else None, created_at=self.region.store.now,
        )  # fmt: skip

    def stay(self, hospital: int, patient: int, at: datetime, until: datetime | None = None,
             outcome: str = "discharged", code: str = "I10", kind: str = "round_the_clock",
             presentation: int | None = None, admission: str = "emergency") -> int:  # fmt: skip
        """A stay with an admission diagnosis and one movement, in the ward."""
        store = self.region.store
        owner = {"owner_organisation_id": hospital, "patient_id": patient}
        key = store.insert(
            "hospital_stay", **owner, presentation_id=presentation, case_number=f"C{store.keys['hospital_stay'] + 1}",
            admission_type=admission, hospital_kind=kind, arrival_channel="ambulance", financing_source="osms",
            referring_organisation_id=self.region.polyclinics[0], practitioner_id=self.doctors[hospital],
            admitted_at=at, discharged_at=until, outcome=outcome if until else None, version=1, created_at=store.now,
        )  # fmt: skip
        self.diagnosis(key, "admission", code)
        store.insert("ward_movement", **owner, stay_id=key, department_id=self.wards[hospital]["ward"],
                     bed_profile="therapeutic", ward="1", bed="1", started_at=at, ended_at=until)  # fmt: skip
        return key

    def diagnosis(self, stay: int, phase: str, code: str, rank: str = "main") -> int:
        """A diagnosis of a stay."""
        row = self.row("hospital_stay", stay)
        return self.region.store.insert(
            "stay_diagnosis", owner_organisation_id=row["owner_organisation_id"], patient_id=row["patient_id"],
            stay_id=stay, phase=phase, rank=rank, icd10_code=code, established_at=self.region.store.now,
        )  # fmt: skip

    def move(self, stay: int, at: datetime, ward: str = "icu", profile: str = "intensive_care") -> int:
        """Ends the newest movement of a stay and begins another."""
        store, row = self.region.store, self.row("hospital_stay", stay)
        newest = max(key for key, part in store.tables["ward_movement"].items() if part["stay_id"] == stay)
        until = self.row("ward_movement", newest)["ended_at"]
        store.update("ward_movement", newest, ended_at=at)
        return store.insert(
            "ward_movement", owner_organisation_id=row["owner_organisation_id"], patient_id=row["patient_id"],
            stay_id=stay, department_id=self.wards[row["owner_organisation_id"]][ward], bed_profile=profile, ward="2",
            bed="1", started_at=at, ended_at=until,
        )  # fmt: skip

    def discharge(self, stay: int, at: datetime, outcome: str = "discharged") -> None:
        """Ends a stay and its newest movement."""
        store = self.region.store
        for key, part in sorted(store.tables["ward_movement"].items()):
            if part["stay_id"] == stay and part["ended_at"] is None:
                store.update("ward_movement", key, ended_at=at)
        store.update("hospital_stay", stay, discharged_at=at, outcome=outcome)

    def operation(self, stay: int, at: datetime) -> int:
        """An operation of an hour."""
        row = self.row("hospital_stay", stay)
        return self.region.store.insert(
            "stay_operation", owner_organisation_id=row["owner_organisation_id"], patient_id=row["patient_id"],
            stay_id=stay, operation_code="47.09", started_at=at, ended_at=at + timedelta(hours=1),
            surgeon_id=row["practitioner_id"], urgency="emergency", anaesthesia="general",
        )  # fmt: skip

    def transfusion(self, stay: int, at: datetime) -> int:
        """A transfusion of red cells."""
        row = self.row("hospital_stay", stay)
        return self.region.store.insert(
            "transfusion", owner_organisation_id=row["owner_organisation_id"], patient_id=row["patient_id"],
            stay_id=stay, component="red_cells", volume_ml=300, blood_group="O", rhesus="+", unit_number="u",
            indication="i", started_at=at, reaction_flag=False, practitioner_id=row["practitioner_id"],
        )  # fmt: skip

    def death(self, patient: int, at: datetime, hospital: int | None = None, code: str = "I11.9") -> int:
        """A death, in a hospital or at home."""
        store = self.region.store
        number = store.keys["death"] + 1
        return store.insert(
            "death", owner_organisation_id=hospital or self.region.polyclinics[0], patient_id=patient, died_at=at,
            time_known_flag=True, place="hospital" if hospital else "home", hospital_organisation_id=hospital,
            underlying_icd10=code, immediate_icd10="I10", certificate_number=f"D{number}", autopsy_flag=bool(hospital),
            maternal="no", registered_at=store.now,
        )  # fmt: skip


def create_hospitals(region: Region) -> Hospitals:
    """The hospitals with their departments, beds and doctors, in one transaction."""
    hospitals, store = Hospitals(region), region.store
    store.begin()
    store.insert("operation", code="47.09", name_ru="appendectomy", class_code="47", search_key="a", active=True)
    for number, district in enumerate(region.districts, 1):
        hospital = region.organisation(f"H{number}", "hospital", district)
        wards: dict[str, int] = {}
        for name, kind in (("admission", "admission"), ("ward", "therapeutic"), ("icu", "intensive_care")):
            wards[name] = store.insert("department", organisation_id=hospital, code=name, kind=kind, name_kk=name,
                                       name_ru=name, valid_from=SINCE)  # fmt: skip
        for ward, profile, beds in (("ward", "therapeutic", 10), ("icu", "intensive_care", 2)):
            store.insert("bed_stock", organisation_id=hospital, department_id=wards[ward], bed_profile=profile,
                         hospital_kind="round_the_clock", beds=beds, valid_from=SINCE)  # fmt: skip
        post = region.doctor(hospital, wards["ward"], "therapy")
        hospitals.organisations.append(hospital)
        hospitals.wards[hospital] = wards
        hospitals.doctors[hospital] = region.row("practitioner_role", post)["practitioner_id"]
    return hospitals


class HospitalWork:
    """Random work of the hospitals and its corrections."""

    def __init__(self, hospitals: Hospitals, rng: random.Random) -> None:
        self.hospitals = hospitals
        self.store = hospitals.region.store
        self.rng = rng

    def _moment(self) -> datetime:
        return START + timedelta(days=self.rng.randrange(600), minutes=30 * self.rng.randrange(48))

    def _any(self, table: str) -> int | None:
        return self.rng.choice(sorted(self.store.tables[table]) or [None])

    def _patient(self) -> int:
        return self.rng.choice(self.hospitals.region.patients)

    def arrive(self) -> None:
        """A presentation, and the stay that comes of some."""
        hospital, patient, at = self.rng.choice(self.hospitals.organisations), self._patient(), self._moment()
        decision = self.rng.choice(("admitted", "admitted", "refused", "waiting", "left"))
        arrival = self.hospitals.arrival(hospital, patient, at, decision, channel=self.rng.choice(CHANNELS))
        if decision != "admitted":
            return
        until = at + timedelta(hours=self.rng.choice((3, 20, 70, 300)))
        stay = self.hospitals.stay(
            hospital, patient, at, self.rng.choice((until, until, None)),
            outcome=self.rng.choice(("discharged", "transferred", "left", "died")), presentation=arrival,
            code=self.rng.choice(HOSPITAL_CODES), kind=self.rng.choice(("round_the_clock", "round_the_clock", "day")),
            admission=self.rng.choice(("planned", "emergency")),
        )  # fmt: skip
        if self.rng.random() < 0.5:
            self.hospitals.move(stay, at + timedelta(hours=self.rng.randrange(1, 3)))
        if self.rng.random() < 0.4:
            self.hospitals.operation(stay, at + timedelta(hours=1))
        if self.rng.random() < 0.3:
            self.hospitals.transfusion(stay, at + timedelta(hours=2))
        if self.rng.random() < 0.7:
            self.hospitals.diagnosis(stay, self.rng.choice(("clinical", "final")), self.rng.choice(HOSPITAL_CODES))

    def correct(self) -> None:
        """A row of the hospital is moved in time, given to another, voided, restored or removed."""
        stay, table = self._any("hospital_stay"), self.rng.choice(
            ("ward_movement", "stay_operation", "transfusion", "stay_diagnosis", "hospital_presentation")
        )  # fmt: skip
        if stay is None:
            return
        what = self.rng.randrange(7)
        if what == 0:
            self._shift(stay, timedelta(hours=self.rng.randrange(-2000, 2000)))
        elif what == 1:
            self.store.update("hospital_stay", stay, voided_at=self.rng.choice((None, self.store.now)))
        elif what == 2:
            patient = self._patient()
            self.store.update("hospital_stay", stay, patient_id=patient, discharged_at=None, outcome=None)
            for part_of in PARTS:
                for key in self._parts(part_of, stay):
                    self.store.update(part_of, key, patient_id=patient)
            for key in self._parts("ward_movement", stay)[-1:]:
                self.store.update("ward_movement", key, ended_at=None)
        elif what == 3 and (part := self._any(table)) is not None:
            self.store.update(table, part, voided_at=self.rng.choice((None, self.store.now)))
        elif what == 4:
            admitted = datetime.fromisoformat(self.store.tables["hospital_stay"][stay]["admitted_at"])
            for key in self._parts("ward_movement", stay)[1:2]:
                self.store.update("ward_movement", key, started_at=admitted + timedelta(hours=self.rng.randrange(3)))
        elif what == 5 and (part := self._any("stay_diagnosis")) is not None:
            self.store.update("stay_diagnosis", part, icd10_code=self.rng.choice(HOSPITAL_CODES), phase="final")
        elif (part := self._any("transfusion")) is not None:
            self.store.delete("transfusion", part)

    def _parts(self, table: str, stay: int) -> list[int]:
        return sorted(key for key, row in self.store.tables[table].items() if row["stay_id"] == stay)

    def _shift(self, stay: int, by: timedelta) -> None:
        """Moves a stay with all that lies in it, as the store demands."""
        moved = [("hospital_stay", stay, ("admitted_at", "discharged_at"))]
        moved += [(table, part, ("started_at", "ended_at")) for table in PARTS[1:] for part in self._parts(table, stay)]
        for table, key, columns in moved:
            row = self.store.tables[table][key]
            moments = {name: datetime.fromisoformat(row[name]) + by for name in columns if row[name]}
            self.store.update(table, key, **moments)

    def die(self) -> None:
        """A death, or a correction of one."""
        known = self._any("death")
        if known is not None and self.rng.random() < 0.5:
            self.store.update("death", known, voided_at=self.rng.choice((None, self.store.now)),
                              died_at=self._moment(), underlying_icd10=self.rng.choice(HOSPITAL_CODES))  # fmt: skip
            return
        self.hospitals.death(self._patient(), self._moment(),
                             self.rng.choice((None, *self.hospitals.organisations)))  # fmt: skip

    def change_place(self) -> None:
        """A department changes its kind, a hospital its district or its beds, a doctor the specialty."""
        what, store = self.rng.randrange(4), self.store
        hospital = self.rng.choice(self.hospitals.organisations)
        if what == 0:
            store.update("department", self.hospitals.wards[hospital]["icu"],
                         kind=self.rng.choice(("intensive_care", "surgical")))  # fmt: skip
        elif what == 1:
            version = max(key for key, row in store.tables["organisation_version"].items()
                          if row["organisation_id"] == hospital)  # fmt: skip
            day = date(2023, 1, 1) + timedelta(days=self.rng.randrange(600))
            old = store.tables["organisation_version"][version]
            if old["valid_from"] < day.isoformat():
                store.update("organisation_version", version, valid_to=day)
                store.insert("organisation_version", organisation_id=hospital, name_kk="H", name_ru="H",
                             parent_id=self.rng.choice(self.hospitals.region.districts), kato_code="274800000",
                             valid_from=day)  # fmt: skip
        elif what == 2 and (stock := self._any("bed_stock")) is not None:
            store.update("bed_stock", stock, beds=self.rng.randrange(20))
        elif (post := self._any("practitioner_role")) is not None:
            store.update("practitioner_role", post, specialty_code=self.rng.choice(("therapy", "paediatrics")))

    def batch(self, changes: int) -> None:
        """One batch of random changes, in several transactions."""
        work = (self.arrive, self.arrive, self.arrive, self.correct, self.correct, self.die, self.change_place)
        for _ in range(changes):
            self.store.now += timedelta(hours=7)
            self.store.begin()
            self.rng.choice(work)()
