"""Dagster's code location, and the gate: what they hold, and that no identifier reaches their pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import dagster as dg
import pytest

from kmis.clock import SystemClock
from kmis.settings import get_settings
from pipelines.lib import loader
from pipelines.lib.gate import RULES, look
from pipelines.lib.workshop import Workshop
from tests.factories import create_patient
from tests.pipelines.conftest import Installation

TWELVE_DIGITS = re.compile(rb"(?<!\d)\d{12}(?!\d)")


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
    }  # fmt: skip
    assert {schedule.execution_timezone for schedule in repository.schedule_defs} == {"Asia/Oral"}


def test_the_gate_finds_bad_entries_and_shows_no_identifier(installation: Installation, workshop: Workshop) -> None:
    with installation.connect() as connection:
        create_patient(connection, installation.world["polyclinic"])
    while loader.load(workshop):
        pass
    iin = installation.value("select iin from patient order by id desc limit 1")
    assert look(installation.settings, SystemClock()).results == {rule.name: True for rule in RULES}
    workshop.lake.execute(
        "insert into lake.bronze.change by name select 999999 as feed_id, 1 as xid, 'patient' as table_name,"
        " null::bigint as key, 'X' as operation, now() + interval '1 day' as recorded_at,"
        f' \'{{"iin": "{iin}"\' as new_row'
    )
    outcome = look(installation.settings, SystemClock())
    failed = {name for name, passed in outcome.results.items() if not passed}
    assert {"key_present", "operation_known", "not_in_future", "images_parse"} <= failed
    assert outcome.docs.exists()
    pages = [path for path in (installation.settings.root / "quality").rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in pages if path.suffix in (".html", ".json", ".yml")]
    assert texts and not any(str(iin).encode() in text or TWELVE_DIGITS.search(text) for text in texts)
