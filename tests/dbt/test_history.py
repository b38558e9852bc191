"""January stays January: people, doctors and organisations move, and what was counted before stays where it was."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.dbt.bronze_fixture import Region, Store, create_region
from tests.dbt.conftest import Lake

JANUARY = datetime(2023, 1, 10, 4, tzinfo=UTC)
FEBRUARY = date(2023, 2, 1)
OF_JANUARY = "where event_date < date '2023-02-01' order by all"
FACTS = ("fct_visit", "fct_diagnosis", "fct_service", "fct_referral", "fct_appointment", "agg_visit_cell",
         "agg_diagnosis_cell", "agg_appointment_cell")  # fmt: skip


def create_january(lake: Lake) -> tuple[Region, int]:
    """A region with a booked visit of the first patient in January; gives the region and the visit."""
    store = Store()
    region = create_region(store)
    store.begin()
    booking = region.booking(region.slot(region.roles[0], JANUARY), region.patients[0], "fulfilled")
    visit = region.visit(region.roles[0], region.patients[0], JANUARY, "J06.9", "I11.9", appointment=booking)
    lake.load(store)
    return region, visit


def january(lake: Lake) -> dict[str, object]:
    """All rows of January."""
    return {table: lake.rows(f"select * from lake.marts.{table} {OF_JANUARY}") for table in FACTS}


@pytest.mark.requirement("DASH-01", "XLS-01")
def test_a_patient_moves_and_january_stays(lake: Lake) -> None:
    region, _ = create_january(lake)
    before = january(lake)
    store, patient = region.store, region.patients[0]
    new_site = region.sites[region.polyclinics[1]][1]
    store.now = datetime(2023, 2, 1, 5, tzinfo=UTC)
    store.begin()
    attachment = next(key for key, row in store.tables["attachment"].items() if row["patient_id"] == patient)
    store.update("attachment", attachment, valid_to=FEBRUARY)
    store.insert("attachment", owner_organisation_id=region.polyclinics[1], patient_id=patient,
                 organisation_id=region.polyclinics[1], site_id=new_site, valid_from=FEBRUARY)  # fmt: skip
    store.update("patient", patient, residence_kato="271010000", urban_flag=True)
    store.begin()
    region.visit(region.roles[3], patient, datetime(2023, 2, 10, 4, tzinfo=UTC), "J06.9")
    lake.load(store)
    assert january(lake) == before
    assert lake.rows(
        "select attachment_organisation_id, site_id, residence_district_kato, urban_flag from lake.marts.fct_visit"
        f" where event_date >= date '{FEBRUARY}'"
    ) == [(region.polyclinics[1], new_site, "271000000", True)]


@pytest.mark.requirement("DASH-01")
def test_a_doctor_moves_and_january_stays(lake: Lake) -> None:
    region, _ = create_january(lake)
    before = january(lake)
    store, site = region.store, region.sites[region.polyclinics[0]][0]
    post = region.row("practitioner_role", region.roles[0])
    store.begin()
    store.update("practitioner_role", region.roles[0], valid_to=FEBRUARY)
    other = region.polyclinics[1]
    moved = store.insert("practitioner_role", practitioner_id=post["practitioner_id"], organisation_id=other,
                         department_id=region.departments[other], specialty_code="paediatrics",
                         position_code="doctor", valid_from=FEBRUARY)  # fmt: skip
    assignment = next(key for key, row in store.tables["site_assignment"].items() if row["site_id"] == site)
    store.update("site_assignment", assignment, valid_to=FEBRUARY)
    heir = region.row("practitioner_role", region.roles[1])["practitioner_id"]
    store.insert("site_assignment", site_id=site, practitioner_id=heir, duty="doctor", valid_from=FEBRUARY)
    region.visit(moved, region.patients[0], datetime(2023, 2, 10, 4, tzinfo=UTC), "J06.9")
    lake.load(store)
    assert january(lake) == before
    assert lake.rows(
        "select owner_organisation_id, specialty_code, practitioner_id, site_doctor_id from lake.marts.fct_visit"
        f" where event_date >= date '{FEBRUARY}'"
    ) == [(other, "paediatrics", post["practitioner_id"], heir)]


@pytest.mark.requirement("DASH-01")
def test_an_organisation_goes_to_another_district_and_january_stays(lake: Lake) -> None:
    region, _ = create_january(lake)
    before = january(lake)
    store, clinic = region.store, region.polyclinics[0]
    store.begin()
    version = next(key for key, row in store.tables["organisation_version"].items()
                   if row["organisation_id"] == clinic)  # fmt: skip
    store.update("organisation_version", version, valid_to=FEBRUARY)
    store.insert("organisation_version", organisation_id=clinic, parent_id=region.districts[1], name_kk="n",
                 name_ru="n", kato_code="274800000", valid_from=FEBRUARY)  # fmt: skip
    region.visit(region.roles[0], region.patients[0], datetime(2023, 2, 10, 4, tzinfo=UTC), "J06.9")
    lake.load(store)
    assert january(lake) == before
    assert lake.rows(
        f"select district_id, region_id from lake.marts.fct_visit where event_date >= date '{FEBRUARY}'"
    ) == [(region.districts[1], region.region)]


@pytest.mark.requirement("DASH-01")
def test_a_visit_at_half_past_eleven_belongs_to_its_local_day(lake: Lake) -> None:
    """On 30.06.2023 Asia/Oral was UTC+5: 23:30 there is 18:30 UTC, and 00:30 UTC in Asia/Almaty's July."""
    region, _ = create_january(lake)
    region.store.begin()
    region.visit(region.roles[0], region.patients[0], datetime(2023, 6, 30, 18, 30, tzinfo=UTC), "J06.9")
    region.visit(region.roles[0], region.patients[1], datetime(2023, 6, 30, 19, 0, tzinfo=UTC), "J06.9")
    lake.load(region.store)
    assert lake.rows(
        "select event_date, event_hour from lake.marts.fct_visit where event_date > date '2023-06-01' order by all"
    ) == [(date(2023, 6, 30), 23), (date(2023, 7, 1), 0)]


@pytest.mark.requirement("DASH-01", "XLS-02")
def test_a_corrected_birth_date_changes_the_past(lake: Lake) -> None:
    region, visit = create_january(lake)
    region.store.begin()
    region.store.update("patient", region.patients[0], birth_date=date(2015, 1, 11), sex="F")
    lake.load(region.store)
    for fact in ("fct_visit", "fct_appointment"):
        assert lake.rows(f"select age_years, age_group, sex from lake.marts.{fact}") == [(7, "5-9", "F")]
    assert lake.rows("select age_group, children, adults from lake.marts.agg_visit_cell") == [("5-9", 1, 0)]
    assert visit
