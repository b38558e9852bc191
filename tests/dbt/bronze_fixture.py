"""A small operational store in memory whose every change becomes a change-feed entry, loaded into a scratch lake.

Rows are written as ``to_jsonb`` writes them: every column of the table is present, times carry their offset.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

import operational.domains.catalogs.models
import operational.domains.encounters.models
import operational.domains.organisation.models
import operational.domains.patients.models
import operational.domains.scheduling.models  # noqa: F401  (each registers its tables)
from operational.kit.base import Base

Row = dict[str, Any]

SINCE = date(2010, 1, 1)
FEED_COLUMNS = (
    "feed_id", "xid", "table_name", "key", "operation", "actor_id", "reason", "recorded_at", "new_row", "old_row",
    "superseded", "batch_id",
)  # fmt: skip
ICD10 = (
    ("IX", "chapter", None), ("I10-I15", "block", "IX"), ("I10", "category", "I10-I15"), ("I11", "category", "I10-I15"),
    ("I11.9", "subcategory", "I11"), ("X", "chapter", None), ("J00-J06", "block", "X"), ("J06", "category", "J00-J06"),
    ("J06.9", "subcategory", "J06"), ("XIX", "chapter", None), ("S60-S69", "block", "XIX"),
    ("S61", "category", "S60-S69"), ("S61.0", "subcategory", "S61"), ("XXI", "chapter", None),
    ("Z00-Z13", "block", "XXI"), ("Z00", "category", "Z00-Z13"), ("Z00.0", "subcategory", "Z00"),
)  # fmt: skip
CODED_VALUES = (
    ("specialty", "therapy"), ("specialty", "paediatrics"), ("position", "doctor"), ("visit_reason", "acute_disease"),
    ("visit_reason", "preventive_exam"),
)  # fmt: skip

BRONZE = """
create schema if not exists lake.bronze;
create table if not exists lake.bronze.change (
    feed_id bigint, xid bigint, table_name varchar, key bigint, operation varchar, actor_id bigint, reason varchar,
    recorded_at timestamptz, new_row varchar, old_row varchar, superseded boolean, batch_id bigint
);
create table if not exists lake.bronze.watermark (
    system_identifier varchar, epoch_id bigint, xid bigint, event_at timestamptz, batch_id bigint
);
"""


def encode(value: object) -> object:
    """A value as ``to_jsonb`` shows it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value


@dataclass
class Store:
    """Tables as dictionaries by key; ``feed`` holds the entries that no lake has loaded yet."""

    now: datetime = datetime(2023, 1, 1, tzinfo=UTC)
    xid: int = 0
    tables: dict[str, dict[int, Row]] = field(default_factory=lambda: defaultdict(dict))
    feed: list[tuple[Any, ...]] = field(default_factory=list)
    feed_id: int = 0
    keys: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    loaded: dict[tuple[str, int], int] = field(default_factory=dict)

    def begin(self) -> int:
        """Starts a transaction and gives its number."""
        self.xid += 1
        return self.xid

    def _write(self, table: str, key: int, operation: str, new: Row | None, old: Row | None) -> None:
        self.feed_id += 1
        images = (json.dumps(row, ensure_ascii=False) if row is not None else None for row in (new, old))
        self.feed.append((self.feed_id, self.xid, table, key, operation, None, None, self.now, *images, False, 1))

    def insert(self, table: str, **values: object) -> int:
        """Inserts a row with a new key, absent columns null; gives the key."""
        self.keys[table] += 1
        key = self.keys[table]
        row: Row = {column.name: None for column in Base.metadata.tables[table].columns}
        unknown = set(values) - set(row)
        assert not unknown, f"{table} has no column {sorted(unknown)}"
        row |= {name: encode(value) for name, value in values.items()} | {"id": key}
        self.tables[table][key] = row
        self._write(table, key, "I", row, None)
        return key

    def update(self, table: str, key: int, **values: object) -> None:
        """Changes columns of a row."""
        old = self.tables[table][key]
        new = old | {name: encode(value) for name, value in values.items()}
        self.tables[table][key] = new
        self._write(table, key, "U", new, old)

    def delete(self, table: str, key: int) -> None:
        """Removes a row."""
        self._write(table, key, "D", None, self.tables[table].pop(key))

    def load(self, lake: duckdb.DuckDBPyConnection, upto: int | None = None) -> int:
        """Appends the waiting entries to bronze, as the loader does; gives the newest transaction number.

        With ``upto`` those of later transactions wait. What comes after a newer image of its row is superseded.
        """
        top = self.xid if upto is None else upto
        lake.execute(BRONZE)
        ready = [(*entry[:10], self.loaded.get((entry[2], entry[3]), 0) > entry[0], entry[11])
                 for entry in self.feed if entry[1] <= top]  # fmt: skip
        self.feed = [entry for entry in self.feed if entry[1] > top]
        if ready:
            columns = zip(FEED_COLUMNS, zip(*ready, strict=True), strict=True)
            entries = pa.table({name: list(values) for name, values in columns})
            lake.register("entries", entries)
            lake.execute("insert into lake.bronze.change by name select * from entries")
            lake.unregister("entries")
        for entry in ready:
            self.loaded[entry[2], entry[3]] = max(entry[0], self.loaded.get((entry[2], entry[3]), 0))
        return top


@dataclass
class Region:
    """The scenario: a region of two districts, each with a polyclinic of two sites, doctors, people and a calendar."""

    store: Store
    polyclinics: list[int] = field(default_factory=list)
    departments: dict[int, int] = field(default_factory=dict)
    sites: dict[int, list[int]] = field(default_factory=dict)
    roles: list[int] = field(default_factory=list)
    patients: list[int] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    districts: list[int] = field(default_factory=list)
    region: int = 0

    def row(self, table: str, key: int) -> Row:
        """The row as it stands."""
        return self.store.tables[table][key]

    def organisation(self, code: str, kind: str, parent: int | None) -> int:
        """An organisation with its first version, valid since 2010."""
        key = self.store.insert("organisation", code=code, kind=kind, bin="000000000000")
        self.store.insert("organisation_version", organisation_id=key, parent_id=parent, name_kk=f"{code} kk",
                          name_ru=f"{code} ru", kato_code="274800000", valid_from=SINCE)  # fmt: skip
        return key

    def doctor(self, organisation: int, department: int, specialty: str) -> int:
        """A practitioner with one position; gives the position's key."""
        store = self.store
        person = store.insert("practitioner", surname="Ahmetov", given_name="Arman", patronymic=None,
                              sort_key=f"a{store.keys['practitioner']}", active=True)  # fmt: skip
        return store.insert("practitioner_role", practitioner_id=person, organisation_id=organisation,
                            department_id=department, specialty_code=specialty, position_code="doctor",
                            valid_from=SINCE)  # fmt: skip

    def patient(self, site: int, birth_date: date, sex: str, kato: str = "274832100") -> int:
        """A record of a person attached to the site since 2010."""
        store = self.store
        number = store.keys["patient"] + 1
        organisation = self.row("site", site)["organisation_id"]
        key = store.insert(
            "patient", owner_organisation_id=organisation, patient_no=number, iin=f"{number:012d}", surname="Serik",
            given_name="Dana", patronymic="Aman", earlier_surnames=[], name_key="x", sort_key="x",
            birth_date=birth_date, sex=sex, identity_kind="citizen", citizenship="KAZ", residence_kato=kato,
            urban_flag=False, created_at=store.now,
        )  # fmt: skip
        store.insert("attachment", owner_organisation_id=organisation, patient_id=key,
                     organisation_id=organisation, site_id=site, valid_from=SINCE)  # fmt: skip
        self.patients.append(key)
        return key

    def slot(self, role: int, at: datetime, capacity: int = 1) -> int:
        """A schedule of one slot of half an hour."""
        store, post = self.store, self.row("practitioner_role", role)
        common = {"owner_organisation_id": post["organisation_id"], "practitioner_id": post["practitioner_id"],
                  "room_id": 1, "starts_at": at, "ends_at": at + timedelta(minutes=30)}  # fmt: skip
        schedule = store.insert("schedule", **common, practitioner_role_id=role,
                                department_id=post["department_id"], slot_minutes=30, created_at=store.now)  # fmt: skip
        key = store.insert("slot", **common, schedule_id=schedule, capacity=capacity)
        self.slots.append(key)
        return key

    def booking(self, slot: int, patient: int, status: str = "booked") -> int:
        """A booking of the slot's first seat."""
        store, piece = self.store, self.row("slot", slot)
        schedule = self.row("schedule", piece["schedule_id"])
        cancelled = status == "cancelled"
        return store.insert(
            "appointment", owner_organisation_id=piece["owner_organisation_id"], slot_id=slot,
            slot_capacity=piece["capacity"], seat=1, patient_id=patient, practitioner_id=piece["practitioner_id"],
            practitioner_role_id=schedule["practitioner_role_id"], department_id=schedule["department_id"],
            room_id=1, service_code="VIS-011", booking_channel="registry", financing_source="osms", status=status,
            starts_at=piece["starts_at"], ends_at=piece["ends_at"], booked_at=store.now,
            cancelled_at=store.now if cancelled else None, cancel_reason="moved" if cancelled else None,
        )  # fmt: skip

    def visit(self, role: int, patient: int, at: datetime, *codes: str, status: str = "finished",
              appointment: int | None = None, reason: str = "acute_disease", character: str = "acute",
              kind: str = "primary") -> int:  # fmt: skip
        """A visit with its diagnoses (the first is the main one), a service and a referral."""
        store, post = self.store, self.row("practitioner_role", role)
        owner = {"owner_organisation_id": post["organisation_id"], "patient_id": patient}
        done = status == "finished"
        key = store.insert(
            "encounter", **owner, appointment_id=appointment, practitioner_id=post["practitioner_id"],
            practitioner_role_id=role, department_id=post["department_id"], place="polyclinic",
            visit_reason=reason, visit_kind=kind, financing_source="osms", insurance_status="insured",
            status=status, outcome="improvement" if done else None, started_at=at,
            ended_at=at + timedelta(minutes=15) if done else None, signed_at=store.now if done else None,
            version=1, created_at=store.now,
        )  # fmt: skip
        for code in codes:
            store.insert("condition", **owner, encounter_id=key, icd10_code=code,
                         rank="main" if code == codes[0] else "comorbid", verification="final",
                         character=character, first_in_life_flag=False, recorded_at=at)  # fmt: skip
        store.insert("procedure", **owner, encounter_id=key, service_code="VIS-011", quantity=2, tariff_kzt=1760.5,
                     performer_id=post["practitioner_id"], financing_source="osms", performed_at=at)  # fmt: skip
        store.insert("service_request", **owner, encounter_id=key, number=f"N{key}", kind="consultation",
                     specialty_code="therapy", icd10_code=codes[0] if codes else None, reason="r",
                     priority="routine", status="active", requested_at=at)  # fmt: skip
        return key


def create_region(store: Store, people: int = 12) -> Region:
    """The organisations, directories, doctors and people of the scenario, in one transaction."""
    region = Region(store)
    store.begin()
    region.region = region.organisation("R", "region", None)
    for code, level, parent in ICD10:
        store.insert("icd10", code=code, level=level, parent_code=parent, name_ru=code, search_key=code,
                     active=True, valid_from=SINCE)  # fmt: skip
    for directory, code in CODED_VALUES:
        store.insert("coded_value", directory_code=directory, code=code, name_kk=code, name_ru=code, sort_order=1,
                     active=True)  # fmt: skip
    store.insert("service", code="VIS-011", name_ru="visit", class_code="visit", unit="visit", search_key="v",
                 active=True, valid_from=SINCE)  # fmt: skip
    store.insert("service_tariff", service_code="VIS-011", amount_kzt=1760.5, valid_from=SINCE)
    for code, level, above in (
        ("270000000", "oblast", None), ("274800000", "district", "270000000"),
        ("274832100", "rural_okrug", "274800000"), ("271000000", "city_akimat", "270000000"),
        ("271010000", "rural_okrug", "271000000"),
    ):  # fmt: skip
        store.insert("kato", code=code, level=level, parent_code=above, name_ru=code, draft=False)
    rng = random.Random(len(ICD10))
    for number in (1, 2):
        district = region.organisation(f"D{number}", "district", region.region)
        clinic = region.organisation(f"P{number}", "polyclinic", district)
        region.districts.append(district)
        region.polyclinics.append(clinic)
        department = store.insert("department", organisation_id=clinic, code="T", kind="therapeutic", name_kk="T",
                                  name_ru="T", valid_from=SINCE)  # fmt: skip
        region.departments[clinic] = department
        store.insert("room", organisation_id=clinic, department_id=department, code="1", name_kk="1", name_ru="1")
        region.sites[clinic] = []
        for place in (1, 2):
            site = store.insert("site", organisation_id=clinic, code=str(place), kind="therapeutic", name_kk="S",
                                name_ru="S", valid_from=SINCE)  # fmt: skip
            region.sites[clinic].append(site)
            role = region.doctor(clinic, department, "therapy" if place == 1 else "paediatrics")
            region.roles.append(role)
            doctor = region.row("practitioner_role", role)["practitioner_id"]
            store.insert("site_assignment", site_id=site, practitioner_id=doctor, duty="doctor", valid_from=SINCE)
            for _ in range(people // 4):
                born = date(1940, 1, 1) + timedelta(days=rng.randrange(29000))
                region.patient(site, born, rng.choice("MF"))
    return region
