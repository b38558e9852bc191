"""Loading of directories: repeated, replaced by an official file, never the other way round."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from operational.domains.catalogs import files, repository, service
from operational.domains.catalogs.files import Edition
from operational.domains.catalogs.loader import load_catalogs, replace_directory
from tests.operational.catalogs.conftest import driver

NEW_YEAR = date(2027, 1, 1)


def edition(code: str) -> Edition:
    """The edition that comes with the system."""
    return next(found for found in files.editions() if found.code == code)


def test_a_second_load_changes_nothing(directories: Session) -> None:
    connection = driver(directories.connection())
    before = directories.scalar(text("select count(*) from change_feed"))
    assert load_catalogs(connection).total == 0
    assert directories.scalar(text("select count(*) from change_feed")) == before


@pytest.mark.requirement("STD-03")
def test_an_official_file_replaces_the_draft_and_closes_what_it_drops(directories: Session) -> None:
    connection = driver(directories.connection())
    official = replace(edition("service"), status="official", version="2027", source="order", valid_from=NEW_YEAR)
    kept = files.service_rows(NEW_YEAR)[0]
    written = replace_directory(connection, official, [(kept[0], "Жаңа атау", *kept[2:])])
    assert written > 200
    info = service.directory_info(directories, "service")
    assert (info.status, info.version) == ("official", "2027")
    row = directories.execute(text("select active, valid_to from service where code = 'LAB-001'")).one()
    assert row == (False, NEW_YEAR)
    assert directories.scalar(text("select name_kk from service where code = :c"), {"c": kept[0]}) == "Жаңа атау"
    # The draft that comes with the system no longer overwrites it.
    assert "service" in load_catalogs(connection).kept
    assert service.directory_info(directories, "service").status == "official"


def test_a_draft_does_not_replace_an_official_directory(directories: Session) -> None:
    connection = driver(directories.connection())
    replace_directory(connection, replace(edition("operation"), status="official"), files.operation_rows())
    with pytest.raises(ValueError, match="official"):
        replace_directory(connection, edition("operation"), [])


def test_a_new_tariff_closes_the_old_one_at_its_first_day(directories: Session) -> None:
    official = replace(edition("service_tariff"), status="official", version="2027")
    replace_directory(driver(directories.connection()), official, [("LAB-001", "999.00", NEW_YEAR, None)])
    assert service.tariffs_at(directories, ["LAB-001"], date(2026, 12, 31))["LAB-001"] == Decimal("720.00")
    assert service.tariffs_at(directories, ["LAB-001"], NEW_YEAR)["LAB-001"] == Decimal("999.00")
    assert "LAB-002" in service.tariffs_at(directories, ["LAB-002"], NEW_YEAR)


@pytest.mark.requirement("LAB-23")
def test_reference_intervals_of_a_laboratory_replace_the_draft(directories: Session) -> None:
    connection = driver(directories.connection())
    count = text("select count(*) from lab_reference_interval where valid_to is null")
    before = directories.scalar(count)
    assert before == len(files.lab_interval_rows(NEW_YEAR))
    official = replace(edition("lab_reference_interval"), status="official", version="2027", valid_from=NEW_YEAR)
    own = ("HGB", "F", 6574, None, Decimal(120), Decimal(150), None, "own", NEW_YEAR, None)
    assert replace_directory(connection, official, [own]) == before + 1
    assert directories.scalar(count) == 1
    held = repository.lab_intervals(directories, ["HGB"], date(2026, 12, 31))
    assert len(held) > 1 and all(row.valid_to == NEW_YEAR for row in held)
    assert [row.low for row in repository.lab_intervals(directories, ["HGB"], NEW_YEAR)] == [Decimal(120)]
    assert replace_directory(connection, official, [own]) == 0


def test_tests_have_a_known_panel_and_specimen(directories: Session) -> None:
    ours = [row[0] for row in files.lab_test_rows()]
    rows = directories.execute(
        text("select panel, specimen, name_kk from lab_test where code = any(:codes)"), {"codes": ours}
    ).all()
    known = {
        directory: {value.code for value in service.values(directories, directory)}
        for directory in ("lab_panel", "lab_specimen")
    }
    assert len(rows) == len(ours) > 80
    assert {row.panel for row in rows} == known["lab_panel"]
    assert {row.specimen for row in rows} == known["lab_specimen"]
    assert service.search_lab_tests(directories, "гемоглобин")[0].code in ("HGB", "HBA1C")
    assert service.search_lab_tests(directories, "HGB")[0].code == "HGB"
    interval = service.entries(directories, "lab_reference_interval", "HGB", 5, 0)
    assert interval[1] > 5 and interval[0][0].code == "HGB"
