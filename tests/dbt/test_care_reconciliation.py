"""The facts of care count on the lake what the store holds; the store's side runs on the staging images."""

from __future__ import annotations

import random
import re

import pytest

from tests.dbt.bronze_fixture import Store, create_region
from tests.dbt.care_fixture import CareMutator, narrowed
from tests.dbt.conftest import Lake
from tests.dbt.test_care_incremental import FACTS

TABLE = re.compile(r"\$([a-z_]+)")


@pytest.mark.requirement("LIVE-01", "MAT-05", "MAT-10", "MAT-11", "SIG-01")
def test_both_sides_of_the_facts_of_care_count_the_same(lake: Lake) -> None:
    care = narrowed(lake, *FACTS)
    region = create_region(Store())
    mutator = CareMutator(region, random.Random(11))
    for changes in (120, 40):
        mutator.batch(changes)
        care.load(region.store)
    models = {model.name: model for model in care.project.models}
    for fact in FACTS:
        sides = models[fact].reconciliation
        assert sides is not None, fact
        source = TABLE.sub(r"(select \1_id as id, * from lake.staging.stg_operational__\1)", sides.source)
        expected = care.rows(source)
        assert care.rows(sides.gold.replace("$this", models[fact].relation)) == expected, fact
        assert expected[0][0] > 0, fact
