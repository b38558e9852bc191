"""The project keeps its promises: described columns, tested keys, layers, no identifiers in facts, reconciliation."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from tests.dbt.bronze_fixture import Store, create_region
from tests.dbt.care_fixture import CareMutator
from tests.dbt.conftest import Lake
from tests.dbt.hospital_fixture import HospitalWork, create_hospitals
from tests.dbt.test_incremental import Mutator

IDENTIFIERS = {"iin", "surname", "given_name", "patronymic", "full_name", "birth_date", "phone", "address",
               "document_number", "name_key", "sort_key"}  # fmt: skip
TABLE = re.compile(r"\$(?P<table>[a-z_][a-z0-9_]*)")
OF_STAFF = {"dim_practitioner"}
OF_PATIENTS = {"dim_patient", "dim_attachment"}


@pytest.fixture
def built(lake: Lake) -> Lake:
    """The lake after some random work."""
    region = create_region(Store())
    Mutator(region, random.Random(5)).batch(30)
    CareMutator(region, random.Random(5)).batch(90)
    HospitalWork(create_hospitals(region), random.Random(5)).batch(40)
    lake.load(region.store)
    return lake


def nodes(lake: Lake, *kinds: str) -> dict[str, Any]:
    """The project's nodes of these kinds by name."""
    return {node.name: node for node in lake.runner.manifest().nodes.values() if node.resource_type in kinds}


def test_every_table_and_column_is_described(built: Lake) -> None:
    for name, node in nodes(built, "model", "seed").items():
        assert node.description.startswith("One row per "), name
        if node.config.materialized == "ephemeral":
            continue
        table = f"batch_{name}" if node.config.meta.get("transient") else f"lake.{node.schema}.{name}"
        columns = [row[0] for row in built.rows(f"describe {table}")]
        assert sorted(node.columns) == sorted(columns), name
        assert not [column.name for column in node.columns.values() if not column.description], name
        if node.resource_type == "model":
            assert node.raw_code.startswith("-- Grain: one row per "), name


def test_every_mart_has_a_tested_key(lake: Lake) -> None:
    tested: dict[str, set[str]] = {}
    for node in nodes(lake, "test").values():
        if node.test_metadata is not None and node.attached_node:
            tested.setdefault(node.attached_node.split(".")[-1], set()).add(node.test_metadata.name)
    for name in nodes(lake, "model"):
        if name.startswith(("dim_", "fct_", "stg_")):
            assert {"unique", "not_null"} <= tested[name], name


def test_facts_and_aggregates_never_read_staging(lake: Lake) -> None:
    for name, node in nodes(lake, "model").items():
        if name.startswith(("fct_", "agg_")):
            assert not [parent for parent in node.depends_on.nodes if ".stg_" in parent], name


@pytest.mark.requirement("DASH-01")
def test_direct_identifiers_stand_in_one_place(built: Lake) -> None:
    for name, node in nodes(built, "model").items():
        if node.schema == "marts" and name not in OF_STAFF | OF_PATIENTS:
            columns = {row[0] for row in built.rows(f"describe lake.marts.{name}")}
            assert not columns & IDENTIFIERS, name
    assert not nodes(built, "model")["dim_patient"].config.meta.get("serve")
    assert not nodes(built, "model")["dim_attachment"].config.meta.get("serve")
    assert not nodes(built, "model")["dim_death_certificate"].config.meta.get("serve")


def image(built: Lake, table: str) -> str:
    """The staging images of an operational table, with its key and columns named as there."""
    staging = f"stg_operational__{table}"
    columns = nodes(built, "model")[staging].columns.values()
    fields = {column.name: (column.config.meta or {}).get("field", column.name) for column in columns}
    named = ", ".join(f'{name} as "{"id" if field == "key" else field}"' for name, field in fields.items())
    return f"(select {named} from lake.staging.{staging})"


def test_both_sides_of_a_reconciliation_count_the_same(built: Lake) -> None:
    """The PostgreSQL side is plain enough to run on the staging images, which hold the same rows."""
    facts = [model for model in built.project.models if model.reconciliation]
    assert {model.name for model in facts} == {name for name in nodes(built, "model") if name.startswith("fct_")}
    for model in facts:
        assert model.reconciliation is not None
        expected = built.rows(TABLE.sub(lambda found: image(built, found["table"]), model.reconciliation.source))
        assert built.rows(model.reconciliation.gold.replace("$this", model.relation)) == expected, model.name
        assert expected[0][0] > 0, model.name
