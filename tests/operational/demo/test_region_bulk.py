"""The other districts: repeatable, with the rows that the feed would have, keys below zero, staff in the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from kmis.clock import FixedClock
from kmis.iin import is_valid
from kmis.settings import Settings
from operational.demo import Loaded, NotTheDemonstration, region_bulk
from operational.demo.districts import REGION, SERIALS, areas, karatobe
from operational.demo.generating import generate
from operational.demo.images import (
    DIRECTORIES,
    NAMED_BY_ROW,
    STRIDE,
    Shift,
    patient_tables,
    read_columns,
    references,
    write_images,
)
from operational.demo.schema import Store
from tests.operational.demo.conftest import NOW, SEED, ZONE

PEOPLE, AREA, PATIENTS = 400, 1, 5000
Filled = tuple[Settings, Loaded]


@dataclass(frozen=True)
class Written:
    """An area in memory, its files, and a feed entry of each table as the store wrote it."""

    store: Store
    folder: Path
    rows: int
    fed: dict[str, dict[str, Any]]

    def images(self, table: str) -> list[dict[str, Any]]:
        with duckdb.connect() as connection:
            found = connection.execute(f"select new_row from read_parquet('{self.folder / table}.parquet')").fetchall()
        return [json.loads(row[0]) for row in found]


@pytest.fixture(scope="module")
def written(filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    settings, _ = filled
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        columns = read_columns(connection)
        fed = connection.execute("select distinct on (table_name) table_name, new_row from change_feed").fetchall()
    folder = tmp_path_factory.mktemp("region")
    store = made().store
    keys = {name: list(range(9001, 9001 + len(getattr(store, name)))) for name in DIRECTORIES}
    yield Written(store, folder, write_images(store, columns, Shift(AREA, PATIENTS, keys), folder), dict(fed))


def made() -> Any:
    return generate(PEOPLE, 1, f"{SEED}/{AREA}", NOW, ZONE, district=areas(PEOPLE)[0].district)


def kinds(image: dict[str, Any]) -> dict[str, str]:
    """The form of each value: what JSON calls it, and for texts where digits stand."""

    def form(value: Any) -> str:
        return "number" if type(value) in (int, float) else type(value).__name__

    return {name: form(value) for name, value in image.items() if value is not None}


def test_the_same_seed_gives_the_same_files(written: Written, tmp_path: Path, filled: Filled) -> None:
    with psycopg.connect(filled[0].dsn("kmis_owner")) as connection:
        columns = read_columns(connection)
    store = made().store
    keys = {name: list(range(9001, 9001 + len(getattr(store, name)))) for name in DIRECTORIES}
    assert write_images(store, columns, Shift(AREA, PATIENTS, keys), tmp_path) == written.rows
    with duckdb.connect() as connection:
        for file in sorted(written.folder.glob("*.parquet")):
            digests = [
                connection.execute(
                    f"select count(*), sum(feed_id), bit_xor(md5_number(new_row)) from '{place / file.name}'"
                ).fetchall()
                for place in (written.folder, tmp_path)
            ]
            # The moments that PostgreSQL sets at loading are read anew each time.
            if "now" not in str(columns[file.stem]):
                assert digests[0] == digests[1], file.name


def test_a_row_looks_as_the_feed_would_have_written_it(written: Written) -> None:
    assert written.rows == sum(len(table) for table in patient_tables(written.store))
    for table in patient_tables(written.store):
        name = str(table.name)
        if not len(table) or name not in written.fed:
            continue
        fed, images = written.fed[name], written.images(name)
        assert len(images) == len(table)
        forms = kinds(fed)
        for image in images:
            assert image.keys() == fed.keys(), name
            own = kinds(image)
            assert {column: own[column] for column in own.keys() & forms.keys()} == {
                column: forms[column] for column in own.keys() & forms.keys()
            }, name
        for column, value in fed.items():
            if isinstance(value, str) and value[10:11] == "T" and value.endswith("+00:00"):
                texts = [image[column] for image in images if image[column] is not None]
                assert all(len(text) >= 25 and text.endswith("+00:00") for text in texts), (name, column)


def test_keys_lie_below_zero_and_every_reference_arrives(written: Written) -> None:
    keys = {
        str(table.name): {image["id"] for image in written.images(str(table.name))}
        for table in patient_tables(written.store) if len(table)
    }  # fmt: skip
    for table in patient_tables(written.store):
        name = str(table.name)
        images = written.images(name) if len(table) else []
        for column, other in references(name).items():
            named = {image[column] for image in images} - {None}
            if other in DIRECTORIES:
                assert named <= set(range(9001, 9001 + len(getattr(written.store, other)))), (name, column)
            else:
                assert named <= keys.get(other, set()), (name, column)
    assert all(-2 * STRIDE < key < -STRIDE for found in keys.values() for key in found)
    subjects = {image["subject_id"] for image in written.images("signal_case")}
    assert subjects and all(key < 0 for key in subjects) and ("signal_case", "subject_id") in NAMED_BY_ROW


def test_people_have_numbers_that_nobody_in_the_store_has(written: Written) -> None:
    people = written.images("patient")
    assert sorted(image["patient_no"] for image in people) == list(
        range(PATIENTS + 1, PATIENTS + len(written.store.patient) + 1)
    )
    numbers = [image["iin"] for image in people if image["iin"]]
    assert len(set(numbers)) == len(numbers) and all(is_valid(iin) for iin in numbers)
    block = areas(PEOPLE)[0].district.serials
    assert all(int(iin[7:11]) in block for iin in numbers) and not set(block) & set(SERIALS)


def test_areas_take_all_people_and_have_names_and_codes_of_their_own() -> None:
    found = areas(304_000)
    assert sum(area.people for area in found) == 304_000 and len(found) == 34
    codes = [
        row["code"] for area in found for row in area.district.organisations
        if row["key"] not in REGION and (row["key"] != "district" or area.first == area.district.number)
    ] + [row["code"] for row in karatobe().organisations]  # fmt: skip
    assert len(set(codes)) == len(codes)
    assert len({area.district.kato for area in found}) == 12
    blocks = [serial for area in found for serial in area.district.serials]
    assert len(set(blocks)) == len(blocks)
    assert [area.people for area in areas(600)] == [300, 300]
    for people in (10, 5_000_000):
        with pytest.raises(ValueError, match="people of the other districts"):
            areas(people)


def test_another_store_is_refused(settings: Settings, world: dict[str, int]) -> None:
    with pytest.raises(NotTheDemonstration, match="this store is another"):
        region_bulk(settings, 600, 1, SEED, clock=FixedClock(NOW))
