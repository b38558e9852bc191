"""Dagster's code location, and the gate: what they hold, and that no identifier reaches their pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import dagster as dg
import pytest

from kmis.clock import SystemClock
from kmis.settings import get_settings
from pipelines.lib import loader
from pipelines.lib.gate import look
from pipelines.lib.gates import DEVICES, FEED, MESSAGES, RESULTS, STUDIES
from pipelines.lib.workshop import Workshop
from tests.factories import create_patient
from tests.pipelines.conftest import Installation

# Not a part of an id or a digest, which may hold twelve digits by chance.
TWELVE_DIGITS = re.compile(rb"(?<![0-9a-f-])\d{12}(?![0-9a-f])")


@pytest.fixture
def at_home(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Dagster reads the installation from the environment."""
    monkeypatch.setenv("KMIS_HOME", str(installation.settings.home))
    monkeypatch.setenv("KMIS_DATABASE_URL", str(installation.settings.database_url))
    get_settings.cache_clear()
    yield installation
    get_settings.cache_clear()


def test_the_code_location_loads_with_lineage_checks_and_schedules(at_home: Installation) -> None:
    from pipelines.definitions import defs

    repository = defs().get_repository_def()
    graph = repository.asset_graph
    fact = dg.AssetKey(["marts", "fct_visit"])
    assert dg.AssetKey(["bronze", "change"]) in graph.get_ancestor_asset_keys(fact)
    assert fact in graph.get(dg.AssetKey(["published"])).parent_keys
    checked = {key.asset_key for key in graph.asset_check_keys}
    kept = {key for key in graph.materializable_asset_keys if key.path[0] in ("staging", "marts", "bronze")}
    assert kept <= checked
    assert all(graph.get(key).description and graph.get(key).group_name for key in graph.get_all_asset_keys())
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "maintenance_schedule", "full_verification_job_schedule", "quality_gate_job_schedule",
        "device_gate_job_schedule",
    }  # fmt: skip
    assert {schedule.execution_timezone for schedule in repository.schedule_defs} == {"Asia/Oral"}


def test_the_gate_finds_bad_entries_and_shows_no_identifier(installation: Installation, workshop: Workshop) -> None:
    with installation.connect() as connection:
        create_patient(connection, installation.world["polyclinic"])
    while loader.load(workshop):
        pass
    iin = installation.value("select iin from patient order by id desc limit 1")
    clean = look(installation.settings, SystemClock(), [FEED])[FEED.name]
    assert clean.results == {rule.name: True for rule in FEED.rules}
    workshop.lake.execute(
        "insert into lake.bronze.change by name select 999999 as feed_id, 1 as xid, 'patient' as table_name,"
        " null::bigint as key, 'X' as operation, now() + interval '1 day' as recorded_at,"
        f' \'{{"iin": "{iin}"\' as new_row'
    )
    outcome = look(installation.settings, SystemClock(), [FEED])[FEED.name]
    failed = {name for name, passed in outcome.results.items() if not passed}
    assert {"key_present", "operation_known", "not_in_future", "images_parse"} <= failed
    assert outcome.docs.exists()
    assert_no_identifier(installation, str(iin))


def assert_no_identifier(installation: Installation, iin: str) -> None:
    pages = [path for path in (installation.settings.root / "quality").rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in pages if path.suffix in (".html", ".json", ".yml")]
    assert texts
    assert not any(iin.encode() in text or TWELVE_DIGITS.search(text) for text in texts)


def test_the_device_gate_warns_and_shows_no_identifier(installation: Installation, workshop: Workshop) -> None:
    """Good deliveries pass every rule; each broken one fails the rule that names it."""
    iin = "880101300015"
    good = {
        "lab_result": {
            "device_code": "HGB", "test_code": "HGB", "value_kind": "numeric", "value_number": 140, "unit": "g/l",
            "reference_low": 130, "reference_high": 160, "interpretation": "N", "observed_at": "2026-01-01T05:00:00Z",
        },
        "device_message": {
            "protocol": "hl7v2", "status": "matched", "device_id": 1, "raw_bytes": 900, "stated": {"iin": iin},
        },
        "imaging_study": {
            "modality": "CT", "status": "available", "instances": 12, "series": 1, "patient_id": 1,
            "started_at": "2026-01-01T05:00:00Z", "stated": {"iin": iin},
        },
    }  # fmt: skip

    def deliver(key: int, **changed: dict[str, object]) -> None:
        for table, body in good.items():
            workshop.lake.execute(
                "insert into lake.bronze.change by name select ?::bigint as feed_id, 1 as xid, ? as table_name,"
                " ?::bigint as key, 'I' as operation, now() as recorded_at, ? as new_row",
                [key, table, key, json.dumps({"id": key, **body, **changed.get(table, {})})],
            )

    deliver(900001)
    clean = look(installation.settings, SystemClock(), DEVICES)
    assert {name: one.results for name, one in clean.items()} == {
        gate.name: {rule.name: True for rule in gate.rules} for gate in DEVICES
    }
    deliver(
        900002,
        lab_result={
            "test_code": None, "unit": None, "value_number": 99999999, "observed_at": "2099-01-01T05:00:00Z",
            "reference_low": 200,
        },
        device_message={"protocol": "fax", "status": "quarantined", "device_id": None, "raw_bytes": 0},
        imaging_study={"modality": None, "instances": 0, "patient_id": None, "started_at": "2099-01-01T05:00:00Z"},
    )  # fmt: skip
    broken = look(installation.settings, SystemClock(), DEVICES)
    for gate in (RESULTS, MESSAGES, STUDIES):
        assert not any(broken[gate.name].results.values()), gate.name
        assert broken[gate.name].entries == 2
    assert_no_identifier(installation, iin)
