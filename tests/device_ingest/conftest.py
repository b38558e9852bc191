"""An organisation with devices, people and orders, committed: the listeners work in transactions of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from device_ingest.gateway import Gateway
from kmis.settings import Settings
from tests.factories import LONG_AGO, create_patient, insert


@dataclass
class Laboratory:
    """What device tests refer to, and how they look at what was stored."""

    settings: Settings
    organisation: int
    devices: dict[str, int]
    foreign_organisation: int
    _numbers: list[int] = field(default_factory=lambda: [0])

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows as the owner of the schema sees them."""
        with psycopg.connect(self.settings.dsn("kmis_owner"), row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def person(self, **values: Any) -> tuple[int, str]:
        """A new person of the organisation: key and IIN."""
        with psycopg.connect(self.settings.dsn("kmis_owner")) as connection:
            key = create_patient(connection, self.organisation, surname="Құрылғыбаева", given_name="Сынақгүл", **values)
            row = connection.execute("select iin from patient where id = %s", (key,)).fetchone()
        assert row is not None
        return key, str(row[0])

    def order(self, patient: int, category: str, tests: tuple[str, ...] = (), **values: Any) -> tuple[int, str]:
        """A new order: key and accession number."""
        from datetime import UTC, datetime

        row = {
            "owner_organisation_id": self.organisation, "patient_id": patient, "category": category,
            "modality": "CT" if category == "imaging" else None, "ordered_at": datetime.now(UTC),
        }  # fmt: skip
        with psycopg.connect(self.settings.dsn("kmis_owner")) as connection:
            key = insert(connection, "diagnostic_order", **(row | values))
            owner = (row | values)["owner_organisation_id"]
            for code in tests:
                insert(
                    connection, "order_test", owner_organisation_id=owner, order_id=key, patient_id=patient,
                    test_code=code,
                )  # fmt: skip
            found = connection.execute("select accession_number from diagnostic_order where id = %s", (key,)).fetchone()
        assert found is not None
        return key, str(found[0])

    def serial(self) -> int:
        """A number that no other message of this run has."""
        self._numbers[0] += 1
        return self._numbers[0]


@pytest.fixture(scope="session")
def laboratory(settings: Settings, world: dict[str, int]) -> Laboratory:
    """A hospital with a tomograph, an analyser and a laboratory system; a second one with a tomograph."""
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        keys = []
        for code in ("device_hospital", "device_other"):
            key = insert(connection, "organisation", code=code, kind="hospital")
            insert(
                connection, "organisation_version", organisation_id=key, parent_id=world["region"],
                name_kk="Құрылғы ауруханасы", name_ru="Больница устройств", kato_code="270000000",
                valid_from=LONG_AGO,
            )  # fmt: skip
            keys.append(key)
        devices = {}
        for name, owner, protocol, address, charset in (
            ("ct", keys[0], "dicom", "TESTCT", None), ("other_ct", keys[1], "dicom", "OTHERCT", None),
            ("retired_ct", keys[0], "dicom", "RETIREDCT", None),
            ("analyser", keys[0], "hl7v2", "ANALYSER|LAB", None),
            ("old", keys[0], "hl7v2", "OLD|LAB", "cp1251"),
        ):  # fmt: skip
            devices[name] = insert(
                connection, "device", organisation_id=owner, code=f"T-{name}", name_kk=name, name_ru=name,
                kind="modality" if protocol == "dicom" else "analyser", protocol=protocol, address=address,
                charset=charset, active=name != "retired_ct",
            )  # fmt: skip
        for code, loinc in (("DV_WBC", "6690-2"), ("DV_HGB", "718-7"), ("DV_GLU", None), ("DV_TXT", None)):
            insert(connection, "lab_test", code=code, name_ru=code, loinc=loinc, search_key=f" {code.lower()}")
        insert(connection, "device_test_code", device_id=devices["analyser"], device_code="GLUC", test_code="DV_GLU")
    return Laboratory(settings, keys[0], devices, keys[1])


@pytest.fixture
def gateway(settings: Settings, laboratory: Laboratory) -> Gateway:
    return Gateway(settings)


@pytest.fixture(scope="module")
def mllp(settings: Settings, laboratory: Laboratory) -> Iterator[int]:
    """The port of a running MLLP listener."""
    from tests.device_ingest.running import mllp_listener

    with mllp_listener(settings) as port:
        yield port
