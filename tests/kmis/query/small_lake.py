"""A small lake with the columns of the marts, made by arithmetic: the same rows at every run.

A real DuckLake with its catalogue in a DuckDB file, so snapshots and READ_ONLY behave as in an installation.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from kmis import lake

# organisations: 1 region, 2 and 3 districts, 11 and 12 in district 2, 13 in district 3
ORGANISATIONS = (11, 12, 13)

_CONTEXT = """
       event_date, year(event_date)::integer as event_year, (8 + k % 9)::integer as event_hour,
       (11 + k % 3)::bigint as owner_organisation_id, 1::bigint as region_id,
       (case k % 3 when 2 then 3 else 2 end)::bigint as district_id,
       if(k % 13 = 0, null, 10 * (1 + k % 3) + k % 2)::bigint as department_id,
       (100 + k % 4)::bigint as practitioner_id,
       (100 + k % 4)::bigint as practitioner_role_id, if(k % 4 = 1, 'PAED', 'THER') as specialty_code,
       'doctor' as position_code
"""
_PATIENT_CONTEXT = """,
       p.patient_no, p.sex, date_diff('year', p.birth_date, event_date)::integer as age_years,
       case when date_diff('year', p.birth_date, event_date) < 15 then '0-14'
            when date_diff('year', p.birth_date, event_date) < 18 then '15-17'
            when date_diff('year', p.birth_date, event_date) < 60 then '18-59' else '60+' end as age_group,
       p.residence_region_kato as residence_kato, p.residence_region_kato, p.residence_district_kato,
       if(k % 17 = 0, null, p.urban_flag) as urban_flag,
       (11 + p.patient_no % 3)::bigint as attachment_organisation_id,
       if(k % 11 = 0, null, 10 * (1 + p.patient_no % 3) + p.patient_no % 2)::bigint as site_id,
       (100 + p.patient_no % 4)::bigint as site_doctor_id, if(k % 2 = 0, 'gobmp', 'osms') as financing_source
"""

_PLACE = "event_date, region_id, district_id, owner_organisation_id, department_id, practitioner_id, specialty_code"
_PERSON = ", site_id, site_doctor_id, attachment_organisation_id, financing_source, age_group, sex"
_VISIT_CELL = (
    _PLACE
    + _PERSON
    + (", visit_reason, visit_kind, place, urban_flag, main_icd10_chapter, disease_flag, preventive_flag, home_flag")
)
_DIAGNOSIS_CELL = (
    _PLACE
    + _PERSON
    + (
        ", visit_reason, urban_flag, icd10_chapter, icd10_block, icd10_category, icd10_code, diagnosis_rank,"
        " acute_or_chronic, injury_flag, injury_type, chronic_group, form12_row, first_in_life_flag, counted_case_flag"
    )
)
_APPOINTMENT_CELL = (
    _PLACE
    + _PERSON
    + (", event_hour, room_id, service_code, booking_channel, status, cancel_reason, has_referral_flag")
)
_SLOT_CELL = _PLACE + ", event_hour"
_CALL_CELL = (
    _PLACE.replace(", specialty_code", "")
    + _PERSON.replace(", financing_source", "")
    + (", event_hour, urban_flag, kind, source, urgency, status, cancel_reason")
)


def _cells(schema: str, table: str, fact: str, keys: str, sums: str, persons: bool) -> str:
    added = ", ".join(f"sum({name.strip()}) as {name.strip()}" for name in sums.split(","))
    people = ", list(distinct patient_no order by patient_no) as persons" if persons else ""
    count = "" if persons else ", count(*) as slots"
    made = f"create table {schema}.{table} as select {keys}, {added}{count}{people}"
    return f"{made} from lake.marts.{fact} group by {keys};"


def aggregates(schema: str = "lake.marts") -> str:
    """The tables of cells, made out of the facts."""
    visit = (
        "visits, disease_visits, preventive_visits, home_visits, signed_visits, primary_visits, adults, children,"
        " diagnoses_count, services_count, amount_kzt"
    )
    diagnosis = "diagnoses, counted_cases, first_in_life, injuries"
    appointment = "bookings, attended, waiting, fulfilled, no_shows, cancelled"
    return "".join(
        (
            _cells(schema, "agg_visit_cell", "fct_visit", _VISIT_CELL, visit, True),
            _cells(schema, "agg_diagnosis_cell", "fct_diagnosis", _DIAGNOSIS_CELL, diagnosis, True),
            _cells(schema, "agg_appointment_cell", "fct_appointment", _APPOINTMENT_CELL, appointment, True),
            _cells(
                schema,
                "agg_home_call_cell",
                "fct_home_call",
                _CALL_CELL,
                "calls, done, not_found, cancelled, open_calls, late",
                True,
            ),
            _cells(schema, "agg_slot_cell", "fct_slot", _SLOT_CELL, "capacity, offered, booked, free, attended", False),
        )
    )


def attach(connection: duckdb.DuckDBPyConnection, folder: Path, mode: str = "READ_ONLY") -> None:
    """Attaches the lake of the folder as ``lake``."""
    lake.load_extensions(connection)
    option = f", {mode}" if mode else ""
    connection.execute(f"attach 'ducklake:{folder / 'meta.ducklake'}' as lake (data_path '{folder / 'data'}'{option})")
    connection.execute("set timezone = 'Asia/Oral'")


def make(folder: Path, visits: int = 600, with_aggregates: bool = True) -> int:
    """Makes the lake; gives its snapshot."""
    script = (Path(__file__).parent / "small_lake.sql").read_text(encoding="utf-8")
    connection = duckdb.connect(":memory:")
    attach(connection, folder, "")
    connection.execute("create schema lake.marts; begin")
    for name, text in {"{patient_context}": _PATIENT_CONTEXT, "{context}": _CONTEXT, "{visits}": str(visits)}.items():
        script = script.replace(name, text)
    connection.execute(script)
    if with_aggregates:
        connection.execute(aggregates())
    connection.execute("commit")
    snapshot = lake.current_snapshot(connection)
    connection.close()
    return snapshot


def add_visit(folder: Path, encounter_id: int) -> int:
    """One more visit, a copy of the first with its own key; gives the new snapshot."""
    connection = duckdb.connect(":memory:")
    attach(connection, folder, "")
    connection.execute("begin")
    connection.execute(
        "insert into lake.marts.fct_visit select * replace ($key as encounter_id) from lake.marts.fct_visit"
        " where encounter_id = 1",
        {"key": encounter_id},
    )
    connection.execute("drop table if exists lake.marts.agg_visit_cell")
    connection.execute(aggregates().split(";")[0])
    connection.execute("commit")
    snapshot = lake.current_snapshot(connection)
    connection.close()
    return snapshot
