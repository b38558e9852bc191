"""The data files that come with the system."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise

import pytest

from operational.domains.catalogs import files
from operational.domains.catalogs.reading import read_code, read_icd10


def test_every_small_directory_is_announced_and_has_entries() -> None:
    announced = {edition.code for edition in files.editions()}
    used = Counter(row["directory_code"] for row in files.read(files.OWN_DATA / "coded_values.csv"))
    assert set(used) <= announced
    assert min(used.values()) >= 3


@pytest.mark.parametrize("name", ["coded_values.csv", "services.csv", "operations.csv"])
def test_own_lists_have_unique_codes_both_names_and_a_source(name: str) -> None:
    rows = list(files.read(files.OWN_DATA / name))
    keys = [(row.get("directory_code"), row["code"]) for row in rows]
    assert len(keys) == len(set(keys))
    for row in rows:
        assert row["name_kk"] and row["name_ru"], row
        assert row["source"]
    assert len({row["name_ru"] for row in rows if not row.get("directory_code")}) == len(
        [row for row in rows if not row.get("directory_code")]
    )


def test_services_are_about_three_hundred_with_a_tariff_for_every_day() -> None:
    services = {row["code"] for row in files.read(files.OWN_DATA / "services.csv")}
    assert 250 <= len(services) <= 350
    tariffs: dict[str, list[tuple[str, str]]] = {}
    for row in files.read(files.OWN_DATA / "service_tariffs.csv"):
        assert float(row["amount_kzt"]) > 0
        tariffs.setdefault(row["service_code"], []).append((row["valid_from"], row["valid_to"]))
    assert set(tariffs) == services
    for periods in tariffs.values():
        periods.sort()
        assert periods[-1][1] == ""
        assert all(end == start for (_, end), (start, _) in pairwise(periods))


def test_classes_of_services_and_operations_are_entries_of_their_directories() -> None:
    known = {(r["directory_code"], r["code"]) for r in files.read(files.OWN_DATA / "coded_values.csv")}
    for row in files.read(files.OWN_DATA / "services.csv"):
        assert ("service_class", row["class_code"]) in known
        assert ("service_unit", row["unit"]) in known
    for row in files.read(files.OWN_DATA / "operations.csv"):
        assert ("operation_class", row["class_code"]) in known


@pytest.mark.requirement("STD-03")
def test_icd10_is_complete() -> None:
    rows = files.icd10_rows(files.editions()[0].valid_from)
    with (files.REFERENCE / "icd10.csv").open(encoding="utf-8", newline="") as file:
        codes = [row["code"] for row in csv.DictReader(file)]
    assert [row[0] for row in rows] == codes
    assert sum(1 for row in rows if row[1] == "chapter") == 22
    parents = {row[2] for row in rows if row[2]}
    assert parents <= set(codes)


def test_a_territory_without_a_code_gets_a_temporary_one() -> None:
    rows = files.kato_rows()
    codes = [row[0] for row in rows]
    assert len(codes) == len(set(codes))
    assert all(code.startswith("T") == draft for code, *_, draft in rows)
    assert all(len(code) == 9 for code in codes)


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("J06", ("J06",)),
        ("j069", ("J06.9",)),
        ("J06.9", ("J06.9",)),
        ("А00", ("A00", "F00")),
        ("грипп", ()),
        ("J", ("J", "O")),
    ],
)
def test_a_code_is_read_as_typed_in_any_layout(typed: str, codes: tuple[str, ...]) -> None:
    assert read_icd10(typed).codes == codes


def test_a_word_is_not_taken_for_a_code() -> None:
    assert read_code("терапевт").codes == ()
    assert "VIS-01" in read_code("vis-01").codes


def test_visit_reasons_say_whether_they_are_preventive() -> None:
    kinds = files.kinds("visit_reason")
    assert set(kinds.values()) == {"disease", "preventive", "other"}
    assert kinds["screening"] == "preventive"
