"""The zone that the rule proposes: the worst of the values, by the limits of the reference file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from operational.domains.inpatient import triage
from operational.domains.inpatient.schemas import Vitals


@pytest.mark.parametrize(
    ("values", "zone"),
    [
        ({}, None),
        ({"diastolic": 60}, None),
        ({"spo2": 95}, "green"), ({"spo2": 94}, "yellow"), ({"spo2": 90}, "yellow"), ({"spo2": 89}, "red"),
        ({"pulse": 110}, "green"), ({"pulse": 111}, "yellow"), ({"pulse": 131}, "red"), ({"pulse": 39}, "red"),
        ({"systolic": 179}, "green"), ({"systolic": 180}, "yellow"), ({"systolic": 221}, "red"),
        ({"temperature": Decimal("38.4")}, "green"), ({"temperature": Decimal("38.5")}, "yellow"),
        ({"temperature": Decimal("41.0")}, "red"), ({"temperature": Decimal("34.9")}, "red"),
        ({"respiratory_rate": 20}, "green"), ({"respiratory_rate": 31}, "red"),
        ({"spo2": 99, "pulse": 75, "systolic": 95, "temperature": Decimal("36.6")}, "yellow"),
        ({"spo2": 99, "pulse": 150, "systolic": 95}, "red"),
    ],
)  # fmt: skip
def test_proposed_zone(values: dict[str, Any], zone: str | None) -> None:
    assert triage.proposed(Vitals(**values)) == zone


def test_every_limit_of_the_file_is_read() -> None:
    assert set(triage.zones()) == set(triage.ZONES)
    for field in triage.FIELDS.values():
        found = {triage.zone_of(field, value) for value in range(301)}
        assert {"red", "yellow", "green"} <= found, field


def test_what_is_no_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="not a limit"):
        triage.read_limit("около 40")
