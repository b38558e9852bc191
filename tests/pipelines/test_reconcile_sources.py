"""What each fact is compared with runs on the migrated store, at a watermark, with and without later changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.lib.reconcile import TABLE, at_watermark
from pipelines.lib.workshop import Workshop

FACTS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts" / "facts"
SOURCES: dict[str, str] = {
    model["name"]: model["config"]["meta"]["reconcile"]["source"]
    for file in sorted(FACTS.glob("fct_*.yml"))
    for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
}


def test_each_source_gives_one_row_on_the_store(workshop: Workshop) -> None:
    assert {"fct_visit", "fct_hospital_stay", "fct_death"} <= SOURCES.keys()
    for fact, source in SOURCES.items():
        for moved in (set[str](), set(TABLE.findall(source))):
            rows: list[Any] = workshop.store.execute(at_watermark(source, 1, moved)).fetchall()
            assert len(rows) == 1 and len(rows[0]) == 2, fact


@pytest.mark.parametrize("fact", SOURCES)
def test_each_source_reads_tables_by_their_state(fact: str) -> None:
    assert TABLE.findall(SOURCES[fact])
