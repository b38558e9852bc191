"""Passes over random batches end in the same lake as a full rebuild, and both in the same as a dbt build."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.dbt.bronze_fixture import Region, Store, create_region
from tests.dbt.conftest import Lake

CODES = ("I10", "I11.9", "J06.9", "S61.0", "Z00.0")
START = datetime(2023, 1, 2, 3, tzinfo=UTC)


class Mutator:
    """Random work of a region: bookings, visits, corrections, voids, moves, merges and separations."""

    def __init__(self, region: Region, rng: random.Random) -> None:
        self.region = region
        self.store = region.store
        self.rng = rng

    def _moment(self) -> datetime:
        return START + timedelta(days=self.rng.randrange(700), minutes=30 * self.rng.randrange(40))

    def _any(self, table: str) -> int:
        return self.rng.choice(sorted(self.store.tables[table]))

    def _patient(self) -> int:
        return self.rng.choice(self.region.patients)

    def visit(self) -> None:
        """A booked or unbooked visit."""
        moment, role, patient = self._moment(), self.rng.choice(self.region.roles), self._patient()
        booking = None
        if self.rng.random() < 0.5:
            booking = self.region.booking(self.region.slot(role, moment), patient, "fulfilled")
        self.region.visit(
            role, patient, moment, *self.rng.sample(CODES, self.rng.randrange(3)), appointment=booking,
            status=self.rng.choice(("finished", "finished", "in_progress")),
            character=self.rng.choice(("acute", "chronic_known", "chronic_first", "na")),
            kind=self.rng.choice(("primary", "repeat")),
            reason=self.rng.choice(("acute_disease", "preventive_exam", "not_in_the_list")),
        )  # fmt: skip

    def booking(self) -> None:
        """A booking of any status, or a change of one."""
        if self.store.tables["appointment"] and self.rng.random() < 0.5:
            key = self._any("appointment")
            change: dict[str, object] = {"status": self.rng.choice(("booked", "arrived", "noshow", "cancelled"))}
            if self.rng.random() < 0.3:
                change |= self._colleague(self.region.row("appointment", key)["owner_organisation_id"])
            self.store.update("appointment", key, **change)
            return
        slot = self.region.slot(self.rng.choice(self.region.roles), self._moment(), self.rng.randrange(1, 3))
        self.region.booking(slot, self._patient(), self.rng.choice(("booked", "cancelled", "noshow")))

    def _colleague(self, organisation: int) -> dict[str, object]:
        """A position of the organisation, as a visit and a booking name it."""
        rows = self.store.tables["practitioner_role"]
        role = self.rng.choice([key for key, row in rows.items() if row["organisation_id"] == organisation])
        return {"practitioner_role_id": role, "practitioner_id": rows[role]["practitioner_id"]}

    def correction(self) -> None:
        """A visit or one of its parts is moved, voided, restored or removed."""
        if not self.store.tables["encounter"]:
            return
        visit = self._any("encounter")
        what = self.rng.randrange(7)
        if what == 6:
            clinic = self.region.row("encounter", visit)["owner_organisation_id"]
            self.store.update("encounter", visit, **self._colleague(clinic))
        elif what == 0:
            moment = self._moment()
            self.store.update("encounter", visit, started_at=moment, ended_at=moment + timedelta(minutes=9))
        elif what == 1:
            self.store.update("encounter", visit, status="entered_in_error", voided_at=self.store.now)
        elif what == 2:
            self.store.update("encounter", visit, status="finished", voided_at=None, patient_id=self._patient())
        elif what == 3 and self.store.tables["condition"]:
            self.store.update("condition", self._any("condition"), icd10_code=self.rng.choice(CODES),
                              voided_at=self.rng.choice((None, self.store.now)),
                              encounter_id=visit)  # fmt: skip
        elif what == 4 and self.store.tables["procedure"]:
            self.store.delete("procedure", self._any("procedure"))
        elif self.store.tables["slot"]:
            self.store.update("slot", self._any("slot"), blocked_at=self.rng.choice((None, self.store.now)))

    def person(self) -> None:
        """A person is corrected, moves, is merged or separated, or is attached elsewhere."""
        patient, other = self.rng.sample(self.region.patients, 2)
        row = self.region.row("patient", patient)
        what = self.rng.randrange(4)
        if what == 0:
            self.store.update("patient", patient, sex=self.rng.choice("MFU"), birth_date=date(2010, 5, 1))
        elif what == 1:
            self.store.update("patient", patient, residence_kato=self.rng.choice(("271010000", "274832100")))
        elif what == 2:
            taken = {r["merged_into_id"] for r in self.store.tables["patient"].values()}
            if row["merged_into_id"]:
                self.store.update("patient", patient, merged_into_id=None)
            elif patient not in taken and not self.region.row("patient", other)["merged_into_id"]:
                self.store.update("patient", patient, merged_into_id=other)
        else:
            day = date(2023, 1, 1) + timedelta(days=self.rng.randrange(700))
            held = [
                key for key, r in self.store.tables["attachment"].items()
                if r["patient_id"] == patient and r["valid_to"] is None and r["valid_from"] < day.isoformat()
            ]  # fmt: skip
            if held:
                site = self._any("site")
                organisation = self.region.row("site", site)["organisation_id"]
                self.store.update("attachment", held[0], valid_to=day)
                self.store.insert("attachment", owner_organisation_id=organisation, patient_id=patient,
                                  organisation_id=organisation, site_id=site, valid_from=day)  # fmt: skip

    def staff(self) -> None:
        """A position is corrected, a site gets another doctor, an organisation another district."""
        what = self.rng.randrange(3)
        if what == 0:
            self.store.update("practitioner_role", self.rng.choice(self.region.roles),
                              specialty_code=self.rng.choice(("therapy", "paediatrics")))  # fmt: skip
        elif what == 1:
            self.store.update("site_assignment", self._any("site_assignment"),
                              practitioner_id=self._any("practitioner"))  # fmt: skip
        else:
            clinic = self.rng.choice(self.region.polyclinics)
            version = next(key for key, row in self.store.tables["organisation_version"].items()
                           if row["organisation_id"] == clinic)  # fmt: skip
            self.store.update("organisation_version", version, parent_id=self.rng.choice(self.region.districts))

    def batch(self, changes: int) -> int:
        """One batch of random changes, in several transactions; gives the number of the newest."""
        for xid in [self.store.xid + number for number in range(1, changes + 1)]:
            self._change(xid)
        return self.store.xid

    def shuffled(self, changes: int) -> int:
        """The same with transactions that write in another order than they began; gives the number of one of them."""
        xids = [self.store.xid + number for number in range(1, changes + 1)]
        last = xids[-1]
        self.rng.shuffle(xids)
        for xid in xids:
            self._change(xid)
        self.store.xid = last
        return self.rng.choice(xids)

    def _change(self, xid: int) -> None:
        work = (self.visit, self.visit, self.booking, self.correction, self.correction, self.person, self.staff)
        self.store.now += timedelta(hours=7)
        self.store.xid = xid
        self.rng.choice(work)()


@pytest.mark.requirement("DASH-01", "XLS-01", "XLS-02", "REP-01", "REP-02", "LIVE-04")
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_passes_over_random_batches_equal_a_rebuild(lake: Lake, seed: int) -> None:
    region = create_region(Store())
    mutator = Mutator(region, random.Random(seed))
    for changes in (30, 8, 1, 12, 6):
        mutator.batch(changes)
        lake.load(region.store)
    by_passes = lake.content()
    assert by_passes["fct_visit"] and by_passes["agg_appointment_cell"]
    lake.rebuild()
    by_rebuild = lake.content()
    for table, rows in by_rebuild.items():
        assert by_passes[table] == rows, table


@pytest.mark.requirement("DASH-01")
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_transactions_that_come_late_change_nothing(lake: Lake, seed: int) -> None:
    """Passes end between transactions that wrote the same rows in another order than they began."""
    region = create_region(Store(), people=4)
    mutator = Mutator(region, random.Random(seed))
    mutator.batch(25)
    lake.load(region.store)
    for changes in (30, 20, 30, 20):
        lake.load(region.store, upto=mutator.shuffled(changes))
    lake.load(region.store)
    assert lake.rows("select count(*) > 0 from lake.bronze.change where superseded") == [(True,)]
    by_passes = lake.content()
    lake.rebuild()
    by_rebuild = lake.content()
    for table, rows in by_rebuild.items():
        assert by_passes[table] == rows, table


@pytest.mark.requirement("DASH-01")
def test_a_dbt_build_gives_the_same_lake_and_its_tests_pass(lake: Lake) -> None:
    """``dbt build`` runs the models by their materialization, the data tests on whole tables and the unit tests."""
    region = create_region(Store())
    Mutator(region, random.Random(3)).batch(25)
    lake.load(region.store)
    by_pass = lake.content()
    lake.runner.invoke("build", "--full-refresh", to_xid=lake.done_xid)
    by_dbt = lake.content()
    for table, rows in by_dbt.items():
        assert by_pass[table] == rows, table
