"""The dictionary's lineage, read from the files alone, is dbt's own; every column says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from kmis.catalogue.dictionary import MARTS_FILE, PROJECT, STAGING_FILE, files
from kmis.catalogue.lineage import Lineage, read_project
from kmis.catalogue.loader import catalogue
from tests.dbt.conftest import INSTANCE, PROFILE, ScratchRunner


@pytest.fixture(scope="module")
def lineage() -> Lineage:
    return read_project(PROJECT)


def test_what_is_made_from_what_is_as_dbt_says(lineage: Lineage, tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text(PROFILE.format(instance=INSTANCE, folder=tmp_path))
    manifest = ScratchRunner(tmp_path).manifest()
    models = {key: node for key, node in manifest.nodes.items() if node.resource_type in ("model", "seed")}
    said = {
        node.name: frozenset(models[parent].name for parent in node.depends_on.nodes if parent in models)
        for node in models.values() if node.resource_type == "model"
    }  # fmt: skip
    assert lineage.direct == said


def test_every_column_has_type_and_meaning(lineage: Lineage) -> None:
    faulty = [
        f"{table.name}.{column['name']}" for name in lineage.kept for table in [lineage.tables[name]]
        for column in table.columns
        if not column.get("description") or not (column.get("data_type") or table.folder == "seeds")
    ]  # fmt: skip
    assert faulty == []
    assert {name for name in lineage.kept if not lineage.tables[name].columns} == set()


def test_a_column_names_its_source_its_unit_and_its_tests() -> None:
    made = files(catalogue())
    marts, staging = made[MARTS_FILE], made[STAGING_FILE]
    visit = marts.partition("### `fct_visit`")[2].partition("###")[0]
    assert "| `encounter_id` | bigint |  | `encounter.id` |" in visit
    assert "| `amount_kzt` | decimal(14,2) | tenge |  |" in visit
    assert "unique, not null" in visit
    assert "`agg_visit_cell`" in visit
    assert "DASH-01" in visit
    assert "| `encounter_id` | bigint |  | `encounter.id` |" in staging.partition("`stg_operational__encounter`")[2]
