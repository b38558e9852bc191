"""Factories of the rows that tests need; each returns the key of what it made."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from kmis import names
from kmis.settings import Settings

LONG_AGO = date(2015, 1, 1)
_numbers = itertools.count(1)


def insert(connection: psycopg.Connection[Any], table: str, **values: Any) -> int:
    """Insert one row and return its id."""
    statement = sql.SQL("insert into {} ({}) values ({}) returning id").format(
        sql.Identifier(table),
        sql.SQL(", ").join(sql.Identifier(name) for name in values),
        sql.SQL(", ").join(sql.Placeholder(name) for name in values),
    )
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return int(row[0])


def iin_for(birth: date, sex: str, serial: int) -> str:
    """A valid IIN of a person born then; the next serial number is tried where no check digit exists."""
    century = (birth.year // 100 - 18) * 2 + (2 if sex == "F" else 1)
    while True:
        head = f"{birth:%y%m%d}{century}{serial % 10000:04d}"
        digits = [int(digit) for digit in head]
        first = sum(d * w for d, w in zip(digits, range(1, 12), strict=True)) % 11
        second = sum(d * w for d, w in zip(digits, (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2), strict=True)) % 11
        check = first if first < 10 else second
        if check < 10:
            return f"{head}{check}"
        serial += 1


def make_world(settings: Settings) -> dict[str, int]:
    """The region with two organisations below it, staffed; returns the keys by name."""
    world: dict[str, int] = {}
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        world["region"] = _organisation(connection, "region", "region", None)
        for prefix, name in (("", "polyclinic"), ("other_", "other")):
            key = world[name] = _organisation(connection, name, "polyclinic", world["region"])
            department = world[f"{prefix}department"] = insert(
                connection, "department", organisation_id=key, code="T", kind="outpatient",
                name_kk="Терапия бөлімі", name_ru="Терапевтическое отделение", valid_from=LONG_AGO,
            )  # fmt: skip
            practitioner = world[f"{prefix}practitioner"] = insert(
                connection, "practitioner", surname="Сейтқали", given_name="Айгүл", patronymic=None,
                sort_key=name,
            )  # fmt: skip
            world[f"{prefix}role"] = insert(
                connection, "practitioner_role", practitioner_id=practitioner, organisation_id=key,
                department_id=department, specialty_code="general_practice", position_code="doctor",
                valid_from=LONG_AGO,
            )  # fmt: skip
            site = world[f"{prefix}site"] = insert(
                connection, "site", organisation_id=key, code="1", kind="general_practice",
                name_kk="№ 1 учаске", name_ru="Участок № 1", valid_from=LONG_AGO,
            )  # fmt: skip
            insert(
                connection, "site_assignment", site_id=site, practitioner_id=practitioner, duty="doctor",
                valid_from=LONG_AGO,
            )  # fmt: skip
            world[f"{prefix}room"] = insert(
                connection, "room", organisation_id=key, department_id=department, code="101",
                name_kk="101-бөлме", name_ru="Кабинет 101",
            )  # fmt: skip
            world[f"{prefix}user"] = insert(
                connection, "app_user", login=f"{name}_doctor", display_name="Сейтқали А.",
                password_hash="!", practitioner_id=practitioner,
            )  # fmt: skip
        for code, name in (("J06.9", "ОРВИ"), ("I10", "Гипертензия"), ("Z00.0", "Осмотр")):
            insert(
                connection, "icd10", code=code, level="subcategory", name_ru=name, search_key=name.lower(),
                valid_from=LONG_AGO,
            )  # fmt: skip
        for code in ("A02.001.000", "B06.001.000"):
            insert(
                connection, "service", code=code, name_kk="Қабылдау", name_ru="Приём", class_code="visit",
                unit="visit", search_key="прием", valid_from=LONG_AGO,
            )  # fmt: skip
    return world


def _organisation(connection: psycopg.Connection[Any], code: str, kind: str, parent: int | None) -> int:
    key = insert(connection, "organisation", code=code, kind=kind)
    insert(
        connection, "organisation_version", organisation_id=key, parent_id=parent, name_kk=f"{code} ұйымы",
        name_ru=f"Организация {code}", kato_code="270000000", valid_from=LONG_AGO,
    )  # fmt: skip
    return key


def create_patient(connection: psycopg.Connection[Any], owner: int, **values: Any) -> int:
    """A citizen with a valid IIN, registered by ``owner``."""
    number = next(_numbers)
    birth = values.pop("birth_date", date(1980, 1, 1) + timedelta(days=number))
    sex = values.pop("sex", "F")
    row = {
        "owner_organisation_id": owner, "iin": iin_for(birth, sex, number), "surname": "Омарова",
        "given_name": "Әлия", "patronymic": None, "birth_date": birth, "sex": sex,
    }  # fmt: skip
    row |= values
    row.setdefault("name_key", names.name_key(row["surname"], row["given_name"], row["patronymic"]))
    row.setdefault("sort_key", names.sort_key(row["surname"], row["given_name"], row["patronymic"]))
    return insert(connection, "patient", **(row | values))


def create_encounter(
    connection: psycopg.Connection[Any], world: dict[str, int], patient: int, at: datetime, **values: Any
) -> int:
    """A finished visit of the polyclinic's doctor."""
    row = {
        "owner_organisation_id": world["polyclinic"], "patient_id": patient,
        "practitioner_id": world["practitioner"], "practitioner_role_id": world["role"],
        "department_id": world["department"], "visit_reason": "disease", "visit_kind": "primary",
        "financing_source": "gobmp", "status": "finished", "outcome": "improvement", "started_at": at,
        "ended_at": at + timedelta(minutes=20),
    }  # fmt: skip
    return insert(connection, "encounter", **(row | values))


def create_condition(
    connection: psycopg.Connection[Any], world: dict[str, int], encounter: int, patient: int, code: str,
    **values: Any,
) -> int:  # fmt: skip
    """A final main diagnosis of a visit."""
    row = {
        "owner_organisation_id": world["polyclinic"], "encounter_id": encounter, "patient_id": patient,
        "icd10_code": code, "rank": "main", "recorded_at": datetime.now(UTC),
    }  # fmt: skip
    return insert(connection, "condition", **(row | values))
